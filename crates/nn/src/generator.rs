//! Generation on any device, behind one interface.

use std::{
    rc::Rc,
    sync::{Arc, Weak},
};

use graft_ops::{Best, Inference, Matrix};

use crate::{Adapter, Error, Feed, Model, Session, Source};

/// The next tokens of one sequence of a [`Generator`].
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// The sequence's slot, as returned by [`Generator::open`].
    pub slot: usize,
    /// Its adapter.
    pub adapter: Option<&'a Arc<Adapter>>,
    /// At least one; or the source, for [`Generator::encode`].
    pub tokens: &'a [u32],
}

/// A [`Session`] with its model, on the host or on another device.
pub trait Generator {
    /// Number of tokens that fit into the KV cache.
    fn rows(&self) -> usize;

    /// As [`Session::prefix`].
    ///
    /// # Errors
    /// As there.
    fn prefix(&mut self, adapter: Option<&Arc<Adapter>>, tokens: &[u32]) -> Result<Option<usize>, Error>;

    /// As [`Session::numbers_of`].
    fn numbers_of(&self, prefix: usize) -> Vec<f32>;

    /// As [`Session::restore`].
    ///
    /// # Errors
    /// As there.
    fn restore(
        &mut self,
        adapter: Option<&Arc<Adapter>>,
        tokens: &[u32],
        numbers: &[f32],
    ) -> Result<Option<usize>, Error>;

    /// As [`Session::forget`].
    fn forget(&mut self, prefix: usize);

    /// As [`Session::open`].
    fn open(&mut self, prefix: Option<usize>, source: usize, capacity: usize) -> Option<usize>;

    /// As [`Session::close`].
    fn close(&mut self, slot: usize);

    /// As [`Session::encode`].
    ///
    /// # Errors
    /// As there.
    fn encode(&mut self, sources: &[Next<'_>]) -> Result<(), Error>;

    /// Like [`Session::feed`]. Returns `None` if the hidden states stay on the device, for [`best`](Self::best) and
    /// [`logits`](Self::logits).
    ///
    /// # Errors
    /// Like there.
    fn feed(&mut self, inputs: &[Next<'_>]) -> Result<Option<Matrix>, Error>;

    /// The most likely token that a mask allows (see [`Inference::best`]), for some rows of the hidden states that
    /// [`feed`](Self::feed) kept on the device.
    ///
    /// # Errors
    /// If the device fails.
    fn best(&mut self, rows: &[usize], masks: &[&[u32]]) -> Result<Vec<Best>, Error>;

    /// Logits (rows, vocab) of some rows of the hidden states that [`feed`](Self::feed) kept on the device.
    ///
    /// # Errors
    /// If the device fails.
    fn logits(&mut self, rows: &[usize]) -> Result<Matrix, Error>;
}

/// Generation on the host.
#[derive(Debug)]
pub struct OnHost {
    model: Arc<Model>,
    session: Session,
    rows: usize,
}

impl OnHost {
    /// Space for `rows` tokens of all sequences together.
    #[must_use]
    pub fn new(model: Arc<Model>, rows: usize) -> Self {
        Self { session: Session::new(&model, rows), model, rows }
    }
}

impl Generator for OnHost {
    fn rows(&self) -> usize {
        self.rows
    }

    fn prefix(&mut self, adapter: Option<&Arc<Adapter>>, tokens: &[u32]) -> Result<Option<usize>, Error> {
        self.session.prefix(&self.model, adapter.map(|a| &**a), tokens)
    }

    fn numbers_of(&self, prefix: usize) -> Vec<f32> {
        self.session.numbers_of(&self.model, prefix)
    }

    fn restore(
        &mut self,
        adapter: Option<&Arc<Adapter>>,
        tokens: &[u32],
        numbers: &[f32],
    ) -> Result<Option<usize>, Error> {
        self.session.restore(&self.model, adapter.map(|a| &**a), tokens, numbers)
    }

    fn forget(&mut self, prefix: usize) {
        self.session.forget(prefix);
    }

    fn open(&mut self, prefix: Option<usize>, source: usize, capacity: usize) -> Option<usize> {
        self.session.open(prefix, source, capacity)
    }

    fn close(&mut self, slot: usize) {
        self.session.close(slot);
    }

    fn encode(&mut self, sources: &[Next<'_>]) -> Result<(), Error> {
        let sources: Vec<Source<'_>> = sources
            .iter()
            .map(|next| Source { slot: next.slot, adapter: next.adapter.map(|a| &**a), tokens: next.tokens })
            .collect();
        self.session.encode(&self.model, &sources)
    }

    fn feed(&mut self, inputs: &[Next<'_>]) -> Result<Option<Matrix>, Error> {
        let inputs: Vec<Feed<'_>> = inputs
            .iter()
            .map(|next| Feed { slot: next.slot, adapter: next.adapter.map(|a| &**a), tokens: next.tokens })
            .collect();
        self.session.feed(&self.model, &inputs).map(Some)
    }

    fn best(&mut self, _: &[usize], _: &[&[u32]]) -> Result<Vec<Best>, Error> {
        Ok(Vec::new())
    }

    fn logits(&mut self, _: &[usize]) -> Result<Matrix, Error> {
        Ok(Matrix::scratch(0, 0))
    }
}

/// Generation on a device with its own memory. Adapters are copied to it when they are first used.
#[derive(Debug)]
pub struct OnDevice<D: Inference> {
    model: Rc<Model<D>>,
    session: Session<D>,
    rows: usize,
    /// Weak, so that unused adapters are not kept. While the weak reference exists, no other adapter can have the same
    /// address.
    adapters: Vec<(Weak<Adapter>, Adapter<D>)>,
    /// The hidden states of the last [`feed`](Generator::feed).
    hidden: Option<D::Matrix>,
    /// The adapters of its rows.
    of_rows: Vec<Option<Weak<Adapter>>>,
}

impl<D: Inference> OnDevice<D> {
    /// Allocates a cache for `rows` tokens of all sequences; half of that, and so on, if the device has too little
    /// memory.
    ///
    /// # Errors
    /// If there is no room for `least` tokens.
    pub fn new(model: impl Into<Rc<Model<D>>>, mut rows: usize, least: usize) -> Result<Self, Error> {
        let model = model.into();
        loop {
            let session = Session::new(&model, rows);
            match model.device().status() {
                Ok(()) => {
                    let (adapters, of_rows) = (Vec::new(), Vec::new());
                    return Ok(Self { model, session, rows, adapters, hidden: None, of_rows });
                }
                Err(error) if error.out_of_memory && rows / 2 >= least => rows /= 2,
                Err(error) => return Err(Error::Device(error)),
            }
        }
    }

    /// Copies new adapters to the device, and frees those that were dropped.
    fn send<'a>(&mut self, adapters: impl Iterator<Item = Option<&'a Arc<Adapter>>>) -> Result<(), Error> {
        for adapter in adapters.flatten() {
            if self.adapters.iter().all(|(of, _)| !std::ptr::eq(of.as_ptr(), Arc::as_ptr(adapter))) {
                self.adapters.retain(|(of, _)| of.strong_count() > 0);
                self.adapters.push((Arc::downgrade(adapter), adapter.upload(self.model.device())));
                self.model.device().status().map_err(Error::Device)?;
            }
        }
        Ok(())
    }

    fn states(&self, rows: &[usize]) -> Result<D::Matrix, Error> {
        let Some(hidden) = &self.hidden else { return Err(Error::NoSequence(0)) };
        let with = |row: &usize| (*row, sent(&self.adapters, self.of_rows[*row].as_ref().map(Weak::as_ptr)));
        Ok(self.model.logits_of(hidden, &rows.iter().map(with).collect::<Vec<_>>()))
    }
}

/// An adapter on the device.
fn sent<D: Inference>(
    adapters: &[(Weak<Adapter>, Adapter<D>)],
    adapter: Option<*const Adapter>,
) -> Option<&Adapter<D>> {
    let adapter = adapter?;
    adapters.iter().find(|(of, _)| std::ptr::eq(of.as_ptr(), adapter)).map(|(_, sent)| sent)
}

impl<D: Inference> Generator for OnDevice<D> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn prefix(&mut self, adapter: Option<&Arc<Adapter>>, tokens: &[u32]) -> Result<Option<usize>, Error> {
        self.send([adapter].into_iter())?;
        self.session.prefix(&self.model, sent(&self.adapters, adapter.map(Arc::as_ptr)), tokens)
    }

    fn numbers_of(&self, prefix: usize) -> Vec<f32> {
        self.session.numbers_of(&self.model, prefix)
    }

    fn restore(
        &mut self,
        adapter: Option<&Arc<Adapter>>,
        tokens: &[u32],
        numbers: &[f32],
    ) -> Result<Option<usize>, Error> {
        self.send([adapter].into_iter())?;
        self.session.restore(&self.model, sent(&self.adapters, adapter.map(Arc::as_ptr)), tokens, numbers)
    }

    fn forget(&mut self, prefix: usize) {
        self.session.forget(prefix);
    }

    fn open(&mut self, prefix: Option<usize>, source: usize, capacity: usize) -> Option<usize> {
        self.session.open(prefix, source, capacity)
    }

    fn close(&mut self, slot: usize) {
        self.session.close(slot);
    }

    fn encode(&mut self, sources: &[Next<'_>]) -> Result<(), Error> {
        self.send(sources.iter().map(|next| next.adapter))?;
        let sources: Vec<Source<'_, D>> = sources
            .iter()
            .map(|next| Source {
                slot: next.slot,
                adapter: sent(&self.adapters, next.adapter.map(Arc::as_ptr)),
                tokens: next.tokens,
            })
            .collect();
        self.session.encode(&self.model, &sources)
    }

    fn feed(&mut self, inputs: &[Next<'_>]) -> Result<Option<Matrix>, Error> {
        self.send(inputs.iter().map(|next| next.adapter))?;
        self.of_rows = inputs.iter().map(|next| next.adapter.map(Arc::downgrade)).collect();
        let inputs: Vec<Feed<'_, D>> = inputs
            .iter()
            .map(|next| Feed {
                slot: next.slot,
                adapter: sent(&self.adapters, next.adapter.map(Arc::as_ptr)),
                tokens: next.tokens,
            })
            .collect();
        self.hidden = Some(self.session.feed(&self.model, &inputs)?);
        Ok(None)
    }

    fn best(&mut self, rows: &[usize], masks: &[&[u32]]) -> Result<Vec<Best>, Error> {
        let device = self.model.device();
        let best = device.best(&self.states(rows)?, masks);
        device.status().map_err(Error::Device)?;
        Ok(best)
    }

    fn logits(&mut self, rows: &[usize]) -> Result<Matrix, Error> {
        let device = self.model.device();
        let logits = device.download(&self.states(rows)?);
        device.status().map_err(Error::Device)?;
        Ok(logits)
    }
}
