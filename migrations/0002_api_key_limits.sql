-- What a key reaches, and how much it may call. NULL: as much as the settings API_KEY_CALLS_PER_... say.
-- A test key (oak_test_...) reaches no provider, and nobody but the numbers of REVIEW_NUMBERS.
ALTER TABLE api_keys ADD COLUMN mode TEXT NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test'));
ALTER TABLE api_keys ADD COLUMN calls_per_minute INTEGER CHECK (calls_per_minute BETWEEN 1 AND 30000);
ALTER TABLE api_keys ADD COLUMN calls_per_month INTEGER CHECK (calls_per_month BETWEEN 1 AND 1000000000);
