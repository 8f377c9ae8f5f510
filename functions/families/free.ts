/** Whether all of a family can be accepted: who is being built from something else would refuse it halfway. */
import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { identicalBuild, imageOfBuild } from '../../shared/build/accept/identical.ts';
import type { Plan } from '../../shared/build/accept/plan.ts';
import { requireFree } from '../../shared/build/accept/under-way.ts';
import { claimOf } from '../../shared/build/claims.ts';
import { identityOf } from '../../shared/build/request.ts';
import type { MemberOf } from './order.ts';

interface Step {
  plan: Plan;
  buildId: string;
  force: boolean | undefined;
}

/** Of the references to images of the family: what `made` has for those. */
export function basesIn({ request }: Plan, made: ReadonlyMap<string, string>, memberOf: MemberOf) {
  const bases = request.references.flatMap((reference) => {
    const value = made.get(memberOf(reference) ?? '');
    return value === undefined ? [] : [[reference, value]];
  });
  return Object.fromEntries(bases) as Record<string, string>;
}

/**
 * Throws 409 `build-in-progress` and `image-leaving`. An image whose build under way is just the one that is asked for
 * is free, which depends on what is found for its bases: `steps` are in the order in which they will be accepted.
 */
export async function requireAllFree(
  dependencies: AcceptDependencies,
  organisation: string,
  steps: Step[],
  memberOf: MemberOf,
): Promise<void> {
  // Mostly nobody is at work on them, and nothing has to be foreseen.
  if (!steps.some(({ plan: { before } }) => before?.activeBuildId ?? before?.deleting)) return;
  const foreseen = new Map<string, string>();
  for (const { plan, buildId, force } of steps) {
    const { request, uri, before, unknownBases } = plan;
    const bases = basesIn(plan, foreseen, memberOf);
    const isKnown = request.references.every(
      (reference) => memberOf(reference) === undefined || bases[reference] !== undefined,
    );
    const identity = identityOf({ ...request, bases: { ...request.bases, ...bases } });
    const identical =
      isKnown && unknownBases.length === 0 && !force
        ? await identicalBuild(dependencies, organisation, claimOf(identity, uri))
        : undefined;
    const found = identical?.build;
    const isAnswer =
      identical !== undefined &&
      before !== undefined &&
      imageOfBuild(identical, { uri, id: before.id }) !== undefined;
    if (before && !isAnswer) requireFree(before, buildId);
    // Another one's image is taken over at once where it is there, and otherwise by a build that is yet to be written.
    if (found?.status === 'succeeded' && found.digest !== undefined) foreseen.set(uri, found.digest);
    else if (found && isAnswer) foreseen.set(uri, found.id);
  }
}
