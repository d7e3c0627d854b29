//! Few things found by name: a map that costs a fraction of the standard one's code, which is compiled anew for each
//! type of value. Shared with the build script: std and serde only.

use std::{borrow::Borrow, fmt, marker::PhantomData, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// Entries in the order of their names, each name once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Table<K, V> {
    /// Without entries.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether it has no entries.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> + Clone {
        self.0.iter().map(|(name, _)| name)
    }

    /// The values in the order of their names.
    pub fn values(&self) -> impl Iterator<Item = &V> + Clone {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<K: Ord, V> Table<K, V> {
    /// The value of a name.
    pub fn get<Q: Ord + ?Sized>(&self, name: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.0.binary_search_by(|(known, _)| known.borrow().cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Whether there is an entry of that name.
    pub fn contains_key<Q: Ord + ?Sized>(&self, name: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(name).is_some()
    }

    /// Takes in a value, in place of the one that had the name.
    pub fn insert(&mut self, name: K, value: V) {
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// Takes in all entries of another table.
    pub fn append(&mut self, other: Self) {
        for (name, value) in other.0 {
            self.insert(name, value);
        }
    }

    /// Forgets a name.
    pub fn remove<Q: Ord + ?Sized>(&mut self, name: &Q)
    where
        K: Borrow<Q>,
    {
        if let Ok(at) = self.0.binary_search_by(|(known, _)| known.borrow().cmp(name)) {
            self.0.remove(at);
        }
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut table = Self::new();
        for (name, value) in entries {
            table.insert(name, value);
        }
        table
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = [(K, V)];

    fn deref(&self) -> &[(K, V)] {
        &self.0
    }
}

impl<'t, K, V> IntoIterator for &'t Table<K, V> {
    type Item = &'t (K, V);
    type IntoIter = std::slice::Iter<'t, (K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
    type Value = Table<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<K, V>, A::Error> {
        let mut table = Table::default();
        while let Some((name, value)) = map.next_entry()? {
            table.insert(name, value);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        // The standard map is the other implementation.
        #[test]
        fn a_table_is_a_map(entries in prop::collection::vec(("[a-e]{0,2}", any::<u8>()), 0..12)) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (name, value) in entries {
                table.insert(name.clone(), value);
                map.insert(name, value);
            }
            prop_assert!(table.iter().map(|(name, value)| (name, value)).eq(&map));
            for name in ["", "a", "bb", "f"] {
                prop_assert_eq!(table.get(name), map.get(name));
            }
            let json = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(&serde_json::to_string(&table).unwrap(), &json);
            prop_assert_eq!(serde_json::from_str::<Table<String, u8>>(&json).unwrap(), table);
        }
    }
}
