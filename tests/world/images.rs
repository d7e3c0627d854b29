//! The images of cases, as the edge would keep them.

use std::collections::BTreeMap;

use onetap::{
    kernel::{fault::Fault, seal::Sealed, time::Timestamp},
    ports::{CaseImages, Clock},
};

use super::{Port, World, locked};

impl World {
    /// The images of cases that are kept, sealed.
    pub(crate) fn images(&self) -> BTreeMap<String, String> {
        locked(&self.images).iter().map(|(key, (_, image))| (key.clone(), image.clone())).collect()
    }
}

impl CaseImages for World {
    async fn put_image(&self, key: &str, image: &Sealed, until: Timestamp) -> Result<(), Fault> {
        let put = async || {
            locked(&self.images).insert(key.to_owned(), (until, image.as_str().to_owned()));
            Ok(())
        };
        self.faults.pass(Port::Images, Fault::new("image_not_kept"), put).await
    }

    async fn image(&self, key: &str) -> Result<Option<Sealed>, Fault> {
        let get = async || {
            let kept = locked(&self.images).get(key).cloned();
            let kept = kept.filter(|(until, _)| self.now() < *until);
            Ok(kept.map(|(_, image)| Sealed::from_text(&image)))
        };
        self.faults.pass(Port::Images, Fault::new("image_not_read"), get).await
    }

    async fn drop_image(&self, key: &str) -> Result<(), Fault> {
        let delete = async || {
            locked(&self.images).remove(key);
            Ok(())
        };
        self.faults.pass(Port::Images, Fault::new("image_not_deleted"), delete).await
    }
}
