/** Who is built on whom within a family. */

import type { Target } from '../../shared/build/accept/target.ts';
import { invalid } from '../../shared/http/problem.ts';
import { InvalidReferenceError, parseReference } from '../../shared/registry/reference.ts';

/** The URI of the member that a reference means. */
export type MemberOf = (reference: string) => string | undefined;

/** A reference is a member's by its URI, or by its repository and tag as the request has them. Throws 422 for two of that name. */
export const memberOf =
  (members: readonly Pick<Target, 'uri' | 'repository' | 'tag'>[]): MemberOf =>
  (reference) => {
    const name = nameOf(reference);
    if (name === undefined) return undefined;
    const found = members.filter(
      ({ uri, repository, tag }) => name === uri || name === `${repository}:${tag}`,
    );
    if (found.length > 1)
      throw invalid({
        pointer: '/dockerfile',
        message: `uses ${reference}, which matches ${found.map(({ uri }) => uri).join(' and ')}. Use a full URI.`,
      });
    return found[0]?.uri;
  };

/** Whether it is what an engine needs already, and nothing that only means something within a family. */
export const isFullName = (reference: string, uri: string) => nameOf(reference) === uri;

/** With its tag; nothing for what names a digest, which is no image that is yet to be built. */
function nameOf(reference: string): string | undefined {
  try {
    const { host, repository, tag = 'latest', digest } = parseReference(reference);
    if (digest !== undefined) return undefined;
    return `${host === undefined ? '' : `${host}/`}${repository}:${tag}`;
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}

/** Indexes, each behind those that it is built on, which are otherwise in the order of the request. Throws 422 for a circle. */
export function inOrder(names: readonly string[], basesOf: (index: number) => number[]): number[] {
  const order: number[] = [];
  const visit = (index: number, above: number[]): void => {
    if (order.includes(index)) return;
    if (above.includes(index)) {
      const circle = [...above.slice(above.indexOf(index)), index].map((one) => names[one]);
      throw invalid({
        pointer: `/images/${index}/dockerfile`,
        message: `depends on itself: ${circle.join(' is built on ')}`,
      });
    }
    for (const base of basesOf(index)) visit(base, [...above, index]);
    order.push(index);
  };
  for (const index of names.keys()) visit(index, []);
  return order;
}
