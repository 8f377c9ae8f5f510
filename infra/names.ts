/** Every AWS name that more than one part must agree on, and the checks that keep them apart. */
import { cachedUpstreams, cacheNamespace } from '../shared/model/pull-through.ts';
import type { Stage } from '../shared/model/stage.ts';

/** ECR namespace of the images that Slipway itself publishes; no organisation may own it. */
export const defaultImagesNamespace = 'slipway';

/** Stands in the place of an organisation in the names of hosts that all of them share. */
export const sharedHosts = 'shared';

/** ECR's limit for the prefix of a cache rule. */
const cachePrefixLength = 30;

/** IAM's limit for a role's name. */
const roleNameLength = 64;

/** What a role per organisation is for; the name ends in it. */
export type OrganisationRole = 'builder' | 'execution' | 'job' | 'instance';

export type Names = ReturnType<typeof namesOf>;

/** Names of a stage's resources. Those of an organisation can be told from another's by prefix alone. */
export function namesOf(stage: string) {
  const prefix = `slipway-${stage}`;
  return {
    prefix,
    stack: (part: string) => `${prefix}-${part}`,
    organisationStack: (organisation: string) => `${prefix}-org-${organisation}`,
    role: (organisation: string, role: OrganisationRole) => `${prefix}-${organisation}-${role}`,
    computeEnvironment: (organisation: string, environment: string) =>
      `${prefix}-${organisation}-${environment}`,
    queue: (organisation: string, queue: string) => `${prefix}-${organisation}-${queue}`,
    buildProject: `${prefix}-builds`,
    /** Where the bucket of the CDK's assets holds the builder, apart from everything else in it. */
    builderAssets: `${prefix}/builder/`,
    stateMachine: `${prefix}-experiments`,
    function: (name: string) => `${prefix}-${name}`,
    secretPrefix: (organisation: string) => `slipway/${stage}/${organisation}/`,
    buildLogGroup: `/slipway/${stage}/builds`,
    jobLogGroup: `/slipway/${stage}/jobs`,
    functionLogGroup: (name: string) => `/slipway/${stage}/functions/${name}`,
    // CloudWatch grants its delivery service this prefix once; other names each add to a policy with a size limit.
    deliveredLogGroup: (source: string) => `/aws/vendedlogs/slipway/${stage}/${source}`,
  };
}

/** Problems with names that would collide, be too long, or let one organisation's pattern match another's. */
export function nameProblems(stage: Stage): string[] {
  const names = namesOf(stage.stage);
  const problems = [
    ...duplicates(
      'organisations',
      stage.organisations.map((one) => one.id),
    ),
    ...duplicates(
      'environments',
      stage.environments.map((one) => one.name),
    ),
    ...duplicates(
      'queues',
      stage.queues.map((one) => one.name),
    ),
    ...duplicates(
      'computes',
      stage.computes.map((one) => one.name),
    ),
  ];
  for (const { id } of stage.organisations) {
    if (id === defaultImagesNamespace)
      problems.push(`organisations: "${id}" is the ECR namespace of the default images; choose another id`);
    if (stage.hosts === 'shared' && id === sharedHosts)
      problems.push(`organisations: "${id}" is the name of shared hosts; choose another id`);
    const longest = names.role(id, 'execution');
    if (longest.length > roleNameLength)
      problems.push(
        `organisations: the role ${longest} has ${longest.length} characters, IAM allows ${roleNameLength}; shorten the stage or "${id}"`,
      );
  }
  return [...problems, ...overlaps(stage), ...cacheProblems(stage)];
}

function duplicates(path: string, values: string[]): string[] {
  return values
    .filter((value, index) => values.indexOf(value) !== index)
    .map((value) => `${path}: "${value}" is used twice; each needs its own name`);
}

/**
 * The hosts' policy names their cluster by prefix, since Batch appends a random part. A name of one organisation must
 * not begin a name of another: `acme` with `gpu-large` and `acme-gpu` with `large` would be one.
 */
function overlaps(stage: Stage): string[] {
  const parts = [...stage.environments.map((one) => one.name), ...stage.queues.map((one) => one.name)];
  const owners = stage.organisations.map(({ id }) => id);
  if (stage.hosts === 'shared') owners.push(sharedHosts);
  const all = owners.flatMap((id) => parts.map((part) => ({ id, name: `${id}-${part}` })));
  const problems = all.flatMap((mine) =>
    all
      .filter((other) => other.id !== mine.id && `${other.name}-`.startsWith(`${mine.name}-`))
      .map(
        (other) =>
          `organisations: "${other.name}" of "${other.id}" begins like "${mine.name}" of "${mine.id}", so their hosts would have the same name prefix; rename an organisation, environment or queue`,
      ),
  );
  return [...new Set(problems)];
}

/** Cached repositories have a namespace of their own beside the organisations'. */
function cacheProblems(stage: Stage): string[] {
  const upstreams = cachedUpstreams(stage);
  const longest = Math.max(0, ...upstreams.map(({ prefix }) => prefix.length));
  const namespace = cacheNamespace(stage.stage);
  return [
    ...(longest > cachePrefixLength
      ? [
          `pullThroughCache: ECR takes ${cachePrefixLength} characters for the prefix of a rule, and this stage's name makes it ${longest}; shorten the stage's name`,
        ]
      : []),
    ...(upstreams.length > 0 && stage.organisations.some(({ id }) => id === namespace)
      ? [`organisations: "${namespace}" is the ECR namespace of the pull-through cache; choose another id`]
      : []),
  ];
}
