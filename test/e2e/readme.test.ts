/** The README's first session and the guide to experiments that goes on with it, typed as a person would, line by line from the files themselves. */
import { expect, it } from 'vitest';
import { blocksOf, firstSession, typed } from './typed-guides.ts';

it('the first session of the README and the guide to experiments do what they say', async () => {
  const session = await firstSession();
  const guide = await blocksOf('docs/experiments.md');
  expect(session.length).toBeGreaterThan(4);
  expect(guide.length).toBeGreaterThan(4);
  const shownBelow = await typed([...session, ...guide]);
  const shown = shownBelow('A first session');
  expect(shown).toMatch(/^public +docker\.io$/m);
  expect(shown).toContain('[2/2] RUN python');
  expect(shown).toMatch(/^succeeded\nsha256:[0-9a-f]{64}$/m);
  expect(shown).toContain('hello from an experiment');
  expect(shown).toMatch(/^accuracy=0\.9\d+$/m);
  expect(shown).toMatch(/^iris:v1 sha256:[0-9a-f]{64}$/m);
  expect(shownBelow('Computes')).toMatch(/^cpu-small .* queues cpu$/m);
  expect(shownBelow('Which image it is')).toContain('Your organisation has no image hello:v9');
  expect(shownBelow('Exit codes, retries, time-outs')).toMatch(/^attempt 1\s+attempt 2$/m);
  expect(shownBelow('Stop')).toMatch(/^stopped Stopped /m);
});
