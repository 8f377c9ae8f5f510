/** B14: a build ends where one of the builds that make its bases has made nothing. */
import { type EndDependencies, endBuild } from './end.ts';
import { type BuildRecord, isOver } from './record.ts';

/** Ends it, if so; otherwise answers the builds that it waits for. */
export async function endWithBase(
  dependencies: EndDependencies,
  organisation: string,
  { id: buildId, author, waitsFor = [] }: BuildRecord,
): Promise<
  { ended: BuildRecord | undefined; bases?: undefined } | { bases: BuildRecord[]; ended?: undefined }
> {
  const bases: BuildRecord[] = [];
  for (const id of waitsFor) {
    const base = (await dependencies.table.get(organisation, 'builds', id)) as BuildRecord | undefined;
    const message = whyNot(id, base);
    if (message !== undefined) {
      const failure = { code: 'base-failed', message } as const;
      // The mail about its base tells of it: a family is not announced image by image, unless that is somebody else's.
      const end = { status: 'failed', failure, isTold: base?.author === author } as const;
      return { ended: await endBuild(dependencies, organisation, buildId, end) };
    }
    if (base) bases.push(base);
  }
  return { bases };
}

/** Why there is and will be no image of that base. */
function whyNot(id: string, base: BuildRecord | undefined): string | undefined {
  if (!base) return `Build ${id} of the base image no longer exists.`;
  if (!isOver(base) || (base.status === 'succeeded' && base.digest !== undefined)) return undefined;
  const why =
    base.status === 'stopped' ? 'was stopped' : `was not built: ${base.failure?.message ?? base.status}`;
  return `Its base ${base.uri} (${id}) ${why}`.replace(/\.?$/, '.');
}
