import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentsPlace, type Place } from './place.ts';

describe('E2 an experiment on the engines', () => {
  let place: Place;
  let tiny: string;
  beforeAll(async () => {
    place = await experimentsPlace();
    tiny = await place.publish('tiny');
  });
  afterAll(() => place.close());

  it('E1, E4 runs and succeeds, with its image pinned and each step on the timeline', async () => {
    const { id } = await place.create({ image: tiny, command: ['echo', 'hello'] });
    const done = await place.over(id);
    expect(done).toMatchObject({
      status: 'succeeded',
      exitCode: 0,
      image: { requested: tiny, rule: 'full-url', uri: tiny, digest: expect.stringMatching(/^sha256:/) },
      attempts: [{ number: 1, queue: 'cpu', stage: 'ended', exitCode: 0 }],
    });
    expect(await place.codes(id)).toEqual([
      'created',
      'pending',
      'image-resolved',
      'defined',
      'submitting',
      'queued',
      'provisioning',
      'running',
      'job-ended',
      'succeeded',
    ]);
    expect(place.problems).toEqual([]);
  });
});
