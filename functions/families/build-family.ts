/** B14: images that are built on one another, accepted by one request. */
import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { planImage } from '../../shared/build/accept/image.ts';
import { newImageOf, rebuildOf, within } from '../../shared/build/accept/named.ts';
import type { BuildIds, Plan, Together } from '../../shared/build/accept/plan.ts';
import { planRebuild } from '../../shared/build/accept/rebuild.ts';
import { withDockerfile } from '../../shared/build/accept/recipe.ts';
import { notConnected } from '../../shared/build/accept/registry.ts';
import { type Target, targetOf } from '../../shared/build/accept/target.ts';
import { buildComputes } from '../../shared/build/computes.ts';
import { settleFollower } from '../../shared/build/descendants.ts';
import type { BuildRecord } from '../../shared/build/record.ts';
import { allInOrder } from '../../shared/concurrency/all-in-order.ts';
import type { Asking } from '../../shared/http/asking.ts';
import { busy, invalid, ProblemError } from '../../shared/http/problem.ts';
import { type ImageRecord, imagesByName } from '../../shared/images/record.ts';
import type { NewFamily } from '../../shared/model/family.ts';
import { basesIn, requireAllFree } from './free.ts';
import { withFullNames } from './full-names.ts';
import { familyLookUp } from './look-up.ts';
import { inOrder, type MemberOf, memberOf } from './order.ts';

type Member = NewFamily['images'][number];

/** Less than that is kept for accepting: the gateway gives up on the answer. */
const startingMs = 8000;

export interface Accepted {
  image: ImageRecord;
  build: BuildRecord;
}

/**
 * Answers images and builds, each behind those that it is built on. All is checked before anything is written; then each
 * is accepted by itself. Whoever dies in between leaves whole builds, and the same request goes on from there: what
 * others get in the way with in between is no refusal, but a 503. With little time left, builds are only accepted.
 */
export async function buildFamily(
  dependencies: AcceptDependencies,
  asking: Asking,
  ids: BuildIds[],
  members: Member[],
  remainingMs: () => number,
): Promise<Accepted[]> {
  const { organisation } = asking;
  const targets = await allInOrder(
    members.map((member, i) => within(`/images/${i}`, () => targetOf(dependencies, organisation, member))),
  );
  requirePlaces(targets);
  const whose = memberOf(targets);
  const lookUp = familyLookUp(dependencies, organisation, whose);
  const plans = await allInOrder(
    members.map((member, i) =>
      within(`/images/${i}`, () => planOf(dependencies, asking, ids[i], member, targets[i], whose, lookUp)),
    ),
  );
  const uris = plans.map(({ uri }) => uri);
  const order = inOrder(uris, (i) =>
    (plans[i]?.request.references ?? []).flatMap((reference) => {
      const base = whose(reference);
      return base === undefined ? [] : [uris.indexOf(base)];
    }),
  );
  requireKnown(plans, targets);
  const steps = order.flatMap((i) => {
    const [plan, { buildId } = { buildId: '' }] = [plans[i], ids[i]];
    return plan ? [{ plan, buildId, force: members[i]?.force }] : [];
  });
  await requireAllFree(dependencies, organisation, steps, whose);
  // What each is there as: the digest of one that is built, the build of one that isn't yet.
  const made = new Map<string, string>();
  const accepted: Accepted[] = [];
  for (const { plan } of steps) {
    const image = await plan
      .accept(basesIn(plan, made, whose), remainingMs() < startingMs)
      .catch((error) => Promise.reject(accepted.length > 0 ? halfway(plan, accepted, error) : error));
    // A base may have ended before anybody waited for it.
    const build = await settleFollower(dependencies, organisation, image.currentBuild?.id ?? '');
    if (!build) throw new Error(`the build of ${plan.uri} is gone`);
    made.set(plan.uri, build.status === 'succeeded' && build.digest ? build.digest : build.id);
    accepted.push({ image, build });
  }
  return accepted;
}

/** An image that is there already is built again, with all that the request says and nothing of what was before. */
async function planOf(
  dependencies: AcceptDependencies,
  asking: Asking,
  ids: BuildIds | undefined,
  member: Member,
  target: Target | undefined,
  whose: MemberOf,
  lookUp: Together['lookUp'],
): Promise<Plan> {
  if (!ids || !target) throw new Error('a member without ids');
  const { repository, tag, registry } = target;
  const named = await imagesByName(dependencies.table, asking.organisation, repository, tag);
  const existing = named.find(({ registryId }) => registryId === registry.registry.id);
  const made = await withDockerfile(dependencies, asking.organisation, member);
  const source = withFullNames(made.source, whose);
  const together = { lookUp, warnings: made.warnings };
  if (!existing)
    return planImage(dependencies, asking, ids, newImageOf({ ...source, from: undefined }), together);
  const computes = buildComputes(dependencies.stage).map(({ name }) => name);
  const asked = { contextUploadId: null, buildArgs: {}, secrets: {}, computes, ...rebuildOf(source) };
  const again = { imageId: existing.id, buildId: ids.buildId };
  return planRebuild(dependencies, asking, again, asked, together);
}

/** After a refusal nothing is there, but here something is: the caller tries again, with the same ids. */
function halfway({ uri }: Plan, accepted: Accepted[], error: unknown): unknown {
  if (!(error instanceof ProblemError) || error.status >= 500) return error;
  const before = accepted.map(({ image }) => image.uri).join(', ');
  const message = `Slipway accepted ${before}, then failed at ${uri}: ${error.message} Send the same request again to continue from there.`;
  return busy(message);
}

function requirePlaces(targets: Target[]): void {
  const uris = targets.map(({ uri }) => uri);
  for (const [i, uri] of uris.entries())
    if (uris.indexOf(uri) < i)
      throw invalid({ pointer: `/images/${i}/repository`, message: `repeats ${uri}` });
  for (const { registry } of targets)
    if (registry.removing) throw notConnected(`The registry ${registry.registry.id}`);
}

/** Whoever names an image of the family's registries that isn't there has forgotten or misspelt a member. */
function requireKnown(plans: Plan[], targets: Target[]): void {
  const places = new Set(targets.map(({ registry: { host, path } }) => `${host}/${path}${path && '/'}`));
  const errors = plans.flatMap(({ unknownBases }, i) =>
    unknownBases
      .filter(
        ({ reference, isMissing }) => isMissing && [...places].some((place) => reference.startsWith(place)),
      )
      .map(({ reference }) => ({
        pointer: `/images/${i}/dockerfile`,
        message: `builds on ${reference}, which is neither in this family nor in its registry`,
      })),
  );
  if (errors.length > 0) throw invalid(...errors);
}
