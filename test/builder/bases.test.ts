/** B6: which of several bases that a build may not have is named. */
import { expect, test } from 'vitest';
import { requireBases } from '../../builder/bases.ts';

test('B6 the first in the Dockerfile, though the registry of another one answers sooner', async () => {
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  const baseRefusalOf = async ({ repository }: { repository: string }) => {
    if (repository === 'quick') isAsked();
    // Its answer comes when the other one's is there.
    else await asked.then(() => new Promise((later) => setImmediate(later)));
    return { why: 'missing' as const, message: `${repository} is not there` };
  };
  const dockerfile = 'FROM r.example/slow:1\nCOPY --from=r.example/quick:1 / /\n';
  const spec = { dockerfile, buildArgs: {}, bases: {} };
  await expect(requireBases(spec, () => ({ baseRefusalOf }))).rejects.toMatchObject({
    failure: { message: expect.stringContaining('r.example/slow:1') },
  });
});
