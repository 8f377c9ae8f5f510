/** Pull-through cache rules, as templates declare them and with AWS's limits. */
import { AwsError, type DeclaredResource } from '../../platform.ts';

export interface CacheRule {
  /** Repositories below `<prefix>/` come from upstream. */
  prefix: string;
  /** Host of the upstream registry. */
  upstream: string;
  /** Secret with `{"username","accessToken"}`. */
  credentialArn?: string;
}

/** What ECR can be a cache of, of those that need no role, and whether it asks for credentials. */
const upstreams: Record<string, 'anonymous' | 'credentials'> = {
  'public.ecr.aws': 'anonymous',
  'quay.io': 'anonymous',
  'registry.k8s.io': 'anonymous',
  'registry-1.docker.io': 'credentials',
  'ghcr.io': 'credentials',
  'registry.gitlab.com': 'credentials',
};

const prefixPattern = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const credentialPattern =
  /^arn:aws:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr-pullthroughcache\/[a-zA-Z0-9/_+=.@-]+$/;
const mostRules = 50;

/** Throws AWS's errors for rules that it would not make. */
export function readRules(declared: DeclaredResource[]): CacheRule[] {
  const rules = declared.map(({ properties }) => readRule(properties ?? {}));
  if (rules.length > mostRules)
    throw new AwsError(
      'LimitExceededException',
      `A registry has at most ${mostRules} pull through cache rules`,
    );
  const prefixes = rules.map(({ prefix }) => prefix);
  const twice = prefixes.find((prefix, index) => prefixes.indexOf(prefix) !== index);
  if (twice !== undefined)
    throw new AwsError(
      'PullThroughCacheRuleAlreadyExistsException',
      `A pull through cache rule with the prefix '${twice}' already exists`,
    );
  return rules;
}

function readRule(properties: Record<string, unknown>): CacheRule {
  const prefix = String(properties.EcrRepositoryPrefix ?? '');
  const upstream = String(properties.UpstreamRegistryUrl ?? '');
  const credentialArn = properties.CredentialArn as string | undefined;
  if (prefix.length < 2 || prefix.length > 30 || !prefixPattern.test(prefix))
    throw new AwsError(
      'InvalidParameterException',
      `Invalid parameter at 'ecrRepositoryPrefix': '${prefix}' must be a valid repository name of 2 to 30 characters`,
    );
  const access = upstreams[upstream];
  if (access === undefined)
    throw new AwsError(
      'UnsupportedUpstreamRegistryException',
      `The upstream registry '${upstream}' is not supported for pull through cache`,
    );
  if (access === 'credentials' && credentialArn === undefined)
    throw new AwsError(
      'InvalidParameterException',
      `The upstream registry '${upstream}' requires a credentialArn`,
    );
  if (credentialArn !== undefined && !credentialPattern.test(credentialArn))
    throw new AwsError(
      'InvalidParameterException',
      `Invalid parameter at 'credentialArn': the secret's name must begin with ecr-pullthroughcache/`,
    );
  return { prefix, upstream, ...(credentialArn && { credentialArn }) };
}

/** The rule that a repository comes by: the longest prefix, where one lies below another. */
export const ruleFor = (rules: CacheRule[], repository: string): CacheRule | undefined =>
  rules
    .filter(({ prefix }) => repository.startsWith(`${prefix}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
