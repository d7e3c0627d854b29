//! Carrying the letters of an object's outbox to where they belong.

use super::Service;
use crate::{
    kernel::fault::Fault,
    model::{
        handle,
        handle::Proof,
        outbox::{Letter, Message},
    },
    ports::World,
};

/// Which letters arrived.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Done; the outbox may forget them.
    pub delivered: Vec<u64>,
    /// To be tried again, with the fault of each.
    pub failed: Vec<(u64, Fault)>,
}

impl<W: World> Service<'_, W> {
    /// Delivers letters one by one. Each arrives at least once; taking one twice changes nothing.
    pub async fn deliver(&self, letters: Vec<Letter>) -> Delivery {
        let mut delivery = Delivery::default();
        for letter in letters {
            match self.deliver_one(letter.message).await {
                Ok(()) => delivery.delivered.push(letter.id),
                Err(fault) => delivery.failed.push((letter.id, fault)),
            }
        }
        delivery
    }

    async fn deliver_one(&self, message: Message) -> Result<(), Fault> {
        match message {
            Message::RenewProof { handle, account, at, method } => {
                let operation = handle::Operation::RenewProof { account, proof: Proof { at, method } };
                self.world.handle(&handle, operation).await.map(|_| ())
            }
            Message::Claim { handle, account, claim, proof } => {
                self.claim_and_settle(account, &handle, claim, proof).await.map(|_| ())
            }
            Message::Release { handle, account, up_to, cause, heir } => {
                let held = handle::Holding::up_to(up_to);
                let operation = handle::Operation::Release { account, held, cause, heir };
                self.world.handle(&handle, operation).await.map(|_| ())
            }
            Message::TakeBack { handle, account, claim, rival } => {
                self.take_back(&handle, account, claim, rival).await
            }
            Message::IndexCase(row) => self.world.index_case(&row).await,
            Message::DropImages { keys } => {
                for key in &keys {
                    self.world.drop_image(key).await?;
                }
                Ok(())
            }
            Message::Undo { handle, account } => {
                self.world.handle(&handle, handle::Operation::Undo { account, since: None }).await.map(|_| ())
            }
            Message::FinishImport { account, importing } => {
                self.finish_import(account, &importing).await.map(|_| ())
            }
            Message::UnindexAccount { account } => self.world.unindex_account(account).await,
            Message::IndexAccount { account, created_at, last_login_at } => {
                self.world.index_account(account, created_at, last_login_at).await
            }
            Message::PublishDevice { token_digest, record } => {
                self.world.publish_device(&token_digest, &record).await
            }
            Message::RetractDevice { token_digest } => self.world.retract_device(&token_digest).await,
            // Nobody takes its tokens any more.
            Message::PublishEnd { until, .. } if until <= self.world.now() => Ok(()),
            Message::PublishEnd { session, until } => self.world.publish_end(session, until).await,
            Message::Notify(notice) => self.hand_over(&notice).await,
        }
    }
}
