-- The study that chooses a training's settings. The run waits in the queue with the phase `search` until they are chosen.
alter table runs add column search text;
