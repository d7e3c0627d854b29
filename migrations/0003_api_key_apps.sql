-- The apps whose users a key leads to, separated by blanks. NULL: all.
ALTER TABLE api_keys ADD COLUMN apps TEXT;
