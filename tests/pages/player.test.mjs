// The player of a film: which frame is shown after so long, and which one a key asks for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { keyed, playedTo } from "../../src/glassnet/views/pages/modules/player.js";

const film = { frames: 10, fps: 5, speed: 1, again: false };

test("frames follow the clock, not the number of times the screen is drawn", () => {
  assert.deepEqual(playedTo(0, 0, film), { frame: 0, ended: false });
  assert.deepEqual(playedTo(0, 199, film), { frame: 0, ended: false });
  assert.deepEqual(playedTo(0, 200, film), { frame: 1, ended: false });
  assert.deepEqual(playedTo(3, 1000, film), { frame: 8, ended: false });
  assert.deepEqual(playedTo(0, 1000, { ...film, speed: 0.5 }), { frame: 2, ended: false });
  assert.deepEqual(playedTo(0, 400, { ...film, speed: 4 }), { frame: 8, ended: false });
});

test("it ends on the last frame, or begins again", () => {
  assert.deepEqual(playedTo(0, 1800, film), { frame: 9, ended: false });
  assert.deepEqual(playedTo(0, 2000, film), { frame: 9, ended: true });
  assert.deepEqual(playedTo(4, 60000, film), { frame: 9, ended: true });
  assert.deepEqual(playedTo(4, 1400, { ...film, again: true }), { frame: 1, ended: false });
});

test("keys step and go to the ends, and never past them", () => {
  assert.equal(keyed("ArrowRight", 3, 10), 4);
  assert.equal(keyed("ArrowRight", 9, 10), 9);
  assert.equal(keyed("ArrowLeft", 3, 10), 2);
  assert.equal(keyed("ArrowLeft", 0, 10), 0);
  assert.equal(keyed("Home", 3, 10), 0);
  assert.equal(keyed("End", 3, 10), 9);
  assert.equal(keyed("x", 3, 10), null);
});
