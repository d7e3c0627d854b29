//! The queue of notices: what waits in it, and bringing it when it is due.

use onetap::{
    journeys::notices::Told,
    kernel::{fault::Fault, time::Timestamp},
    model::notice::Notice,
    ports::{Clock, NoticeQueue},
};

use super::{Port, World, client, locked};

impl World {
    /// Lets the queue bring what is due, once each, and says what became of it.
    pub(crate) fn run_queue(&self) -> Vec<Told> {
        let now = self.now();
        let (due, later) =
            std::mem::take(&mut *locked(&self.queue)).into_iter().partition(|(at, _)| *at <= now);
        *locked(&self.queue) = later;
        let due: Vec<(Timestamp, String)> = due;
        let bring = |(_, json): (Timestamp, String)| {
            let notice: Notice = serde_json::from_str(&json).unwrap();
            let told = client::at_once(self.service().deliver_notice(&notice)).expect("the service hangs");
            locked(&self.log).push(format!("{:?} {told:?}", notice.kind));
            if let Told::Later(wait) = told {
                locked(&self.queue).push((self.now().plus(wait), json));
            }
            told
        };
        due.into_iter().map(bring).collect()
    }

    /// Alarms, then the queue: what a moment later is told.
    pub(crate) fn tell(&self) -> Vec<Told> {
        self.run_alarms();
        self.run_queue()
    }

    /// Lets time pass until the queue is empty, bringing each notice when it is due; what became of them in turn.
    pub(crate) fn drain_queue(&self) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            let next = locked(&self.queue).iter().map(|(at, _)| *at).min();
            let Some(next) = next else { return told };
            self.pass(next.since(self.now()));
            told.extend(self.run_queue());
        }
    }

    /// What waits in the queue.
    pub(crate) fn queue(&self) -> Vec<String> {
        locked(&self.queue).iter().map(|(_, json)| json.clone()).collect()
    }
}

impl NoticeQueue for World {
    async fn enqueue(&self, notice: &Notice) -> Result<(), Fault> {
        let put = async || {
            locked(&self.queue).push((self.now(), serde_json::to_string(notice).unwrap()));
            Ok(())
        };
        self.faults.pass(Port::Queue, Fault::new("notice_not_enqueued"), put).await
    }
}
