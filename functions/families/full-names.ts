/** A short name may mean an image of the family, and means Docker Hub to an engine: it gets its registry. */
import { replaceBases } from '../../shared/dockerfile/bases.ts';
import { invalid } from '../../shared/http/problem.ts';
import { dockerfileLimit } from '../../shared/model/build.ts';
import type { MemberOf } from './order.ts';

interface Written {
  dockerfile: string;
  buildArgs?: Record<string, string> | undefined;
}

/** The same with every image of the family by its URI. Throws 422 where that makes the Dockerfile too long. */
export function withFullNames<S extends Written>(source: S, memberOf: MemberOf): S {
  const dockerfile = replaceBases(source.dockerfile, source.buildArgs ?? {}, memberOf);
  if (Buffer.byteLength(dockerfile) > dockerfileLimit)
    throw invalid({
      pointer: '/dockerfile',
      message: `is more than ${dockerfileLimit} bytes with the full names of the family's images`,
    });
  return { ...source, dockerfile };
}
