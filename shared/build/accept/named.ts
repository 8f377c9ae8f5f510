/** Builds that are a part of a larger request, with the name of their image beside what is built. */
import { ProblemError } from '../../http/problem.ts';
import type { NewImage } from '../../model/image.ts';
import type { NamedBuild } from '../../model/named-build.ts';
import type { Rebuild } from '../../model/new-build.ts';

export const newImageOf = ({ registryId, repository, tag, ...source }: NamedBuild): NewImage => ({
  source: { type: 'build', ...source },
  registryId,
  repository,
  tag,
});

export const rebuildOf = ({
  registryId: _registry,
  repository: _repository,
  tag: _tag,
  from,
  ...asked
}: NamedBuild): Rebuild => (asked.dockerfile === undefined ? { ...asked, from } : asked);

/** Has problems of the part point to where it stands in the whole. */
export async function within<T>(pointer: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProblemError) || !error.extra.errors) throw error;
    const { status, code, message, extra, headers } = error;
    const errors = error.extra.errors.map((one) => ({
      ...one,
      pointer: `${pointer}${one.pointer.replace(/^\/source(?=\/|$)/, '')}`,
    }));
    throw new ProblemError(status, code, message, { ...extra, errors }, headers);
  }
}
