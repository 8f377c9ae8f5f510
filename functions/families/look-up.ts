/** Base images of a family: many of its images are built on the same ones, each of which is asked for once. */
import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { mostBases } from '../../shared/build/accept/request.ts';
import { type BaseDigests, lookUpBases } from '../../shared/build/bases.ts';
import { invalid } from '../../shared/http/problem.ts';
import type { MemberOf } from './order.ts';

/** Images of the family are none that could be looked up. Throws 422 where the family names too many others. */
export function familyLookUp(
  dependencies: AcceptDependencies,
  organisation: string,
  memberOf: MemberOf,
): (references: string[]) => Promise<BaseDigests> {
  const known = new Set<string>();
  const found = new Map<string, Promise<BaseDigests>>();
  return async (references) => {
    const others = references.filter((reference) => memberOf(reference) === undefined);
    for (const reference of others) known.add(reference);
    if (known.size > mostBases)
      throw invalid({
        pointer: '/dockerfile',
        message: `brings the family to ${known.size} base images; the limit is ${mostBases}`,
      });
    const answers = await Promise.all(
      others.map((reference) => {
        const answer = found.get(reference) ?? lookUpBases(dependencies, organisation, [reference]);
        found.set(reference, answer);
        return answer;
      }),
    );
    return {
      digests: Object.assign({}, ...answers.map(({ digests }) => digests)),
      unknown: answers.flatMap(({ unknown }) => unknown),
    };
  };
}
