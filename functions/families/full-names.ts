/**
 * A short name may mean an image of the family, and means Docker Hub to an engine: it gets its registry, where it is
 * written. Of a build argument that is its value, so that a later build may still give it another.
 */
import { baseImages, replaceBases } from '../../shared/dockerfile/bases.ts';
import { invalid } from '../../shared/http/problem.ts';
import { dockerfileLimit } from '../../shared/model/new-build.ts';
import { isFullName, type MemberOf } from './order.ts';

interface Written {
  dockerfile: string;
  buildArgs?: Record<string, string> | undefined;
}

/**
 * The same with every image of the family by its URI. Throws 422 where that makes the Dockerfile too long, and where a
 * short name is put together from arguments and text.
 */
export function withFullNames<S extends Written>(source: S, memberOf: MemberOf): S {
  const given = source.buildArgs ?? {};
  const longer = (reference: string) => {
    const uri = memberOf(reference);
    return uri === undefined || isFullName(reference, uri) ? undefined : uri;
  };
  const values = new Map(Object.entries(given));
  const dockerfile = replaceBases(source.dockerfile, given, (reference, written) => {
    const uri = longer(reference);
    const argument = /\$\{?(\w+)/.exec(written)?.[1];
    if (uri === undefined || argument === undefined) return uri;
    values.set(argument, uri);
    return undefined;
  });
  if (Buffer.byteLength(dockerfile) > dockerfileLimit)
    throw invalid({
      pointer: '/dockerfile',
      message: `must be at most ${dockerfileLimit} bytes after Slipway replaces the names of the family's images with their full URIs`,
    });
  const buildArgs = Object.fromEntries(values);
  const after = new Set(baseImages(dockerfile, buildArgs));
  // An argument may be only a part of the name, or a part of other names as well.
  for (const reference of baseImages(source.dockerfile, given)) {
    const uri = longer(reference);
    if (!after.has(uri ?? reference) || (uri !== undefined && after.has(reference)))
      throw invalid({
        pointer: '/dockerfile',
        message: `combines build arguments into ${reference}, which Slipway can't expand to a full URI. Write the URI ${uri ?? "of the family's image"} instead.`,
      });
  }
  return { ...source, dockerfile, ...(values.size > 0 ? { buildArgs } : {}) };
}
