/** B4: the end of a build is told, though its log can't be had. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeBuild } from '../../../shared/build/close.ts';
import { buildPlace, organisation, type Place } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['exit 1'] } });
});
afterAll(() => place.close());

const refused = () => Promise.reject(new Error('the bucket refuses it'));

test('B4 a log that cannot be kept holds its mail up for minutes, not for ever', async () => {
  const { buildId } = await place.build();
  const logs = { ...place.dependencies.logs, drain: refused, last: refused };
  await expect(place.over(buildId, { logs })).rejects.toThrow('the bucket refuses it');
  expect(await place.get(buildId)).toMatchObject({ status: 'failed', mail: 'due', logComplete: false });
  const closeAfter = (seconds: number) => {
    const now = () => new Date(Date.now() + seconds * 1000);
    return closeBuild({ ...place.dependencies, logs, now }, organisation, buildId);
  };
  await expect(closeAfter(60)).rejects.toThrow('the bucket refuses it');
  expect((await place.get(buildId)).mail).toBe('due');
  // Whoever looks again still hears of it.
  await expect(closeAfter(400)).rejects.toThrow('the bucket refuses it');
  const record = await place.get(buildId);
  expect(record).toMatchObject({ mail: 'sent', logComplete: false, openKey: expect.any(String) });
  await expect(closeAfter(400)).rejects.toThrow('the bucket refuses it');
  expect(place.mails().filter((mail) => mail.includes(buildId))).toHaveLength(1);
  await closeBuild(place.dependencies, organisation, buildId);
});
