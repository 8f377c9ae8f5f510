/** B6: which bases a build may have, and by which digests. */
import { describe, expect, test } from 'vitest';
import { requireBases } from '../../builder/bases.ts';
import type { FoundBase } from '../../builder/pushed.ts';

test('B6 the first in the Dockerfile, though the registry of another one answers sooner', async () => {
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  const findBase = async ({ repository }: { repository: string }) => {
    if (repository === 'quick') isAsked();
    // Its answer comes when the other one's is there.
    else await asked.then(() => new Promise((later) => setImmediate(later)));
    return { why: 'missing' as const, message: `${repository} is not there` };
  };
  const dockerfile = 'FROM r.example/slow:1\nCOPY --from=r.example/quick:1 / /\n';
  const spec = { dockerfile, buildArgs: {}, bases: {} };
  await expect(requireBases(spec, () => ({ findBase }), 'dedicated')).rejects.toMatchObject({
    failure: { message: expect.stringContaining('r.example/slow:1') },
  });
});

describe('B6 a base whose digest was not known when the build was accepted', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const dockerfile = 'FROM r.example/app:1\n';
  const require = (found: FoundBase, host: 'dedicated' | 'shared', bases: Record<string, string> = {}) =>
    requireBases(
      { dockerfile, buildArgs: {}, bases },
      () => ({ findBase: () => Promise.resolve(found) }),
      host,
    );
  const unavailable = { why: 'unavailable', message: 'connection refused' } as const;

  test('is pinned to the digest that the registry names now', async () => {
    for (const host of ['dedicated', 'shared'] as const)
      expect(await require({ digest }, host)).toEqual({ 'r.example/app:1': digest });
  });

  test('ends the build on a shared engine where its registry cannot be asked: others may have left such an image there', async () => {
    await expect(require(unavailable, 'shared')).rejects.toMatchObject({
      failure: { code: 'base-image-unavailable', message: expect.stringContaining('r.example/app:1') },
    });
  });

  test("is left to an engine of the build's own", async () => {
    expect(await require(unavailable, 'dedicated')).toEqual({});
  });

  test('one that is pinned needs no second answer', async () => {
    expect(await require(unavailable, 'shared', { 'r.example/app:1': digest })).toEqual({});
    await expect(
      require({ why: 'unauthorized', message: 'denied' }, 'shared', { 'r.example/app:1': digest }),
    ).rejects.toMatchObject({
      failure: { code: 'base-image-unauthorized' },
    });
  });
});
