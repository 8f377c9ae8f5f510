import { SecretValue, Validations } from 'aws-cdk-lib';
import { CfnPullThroughCacheRule, CfnRepositoryCreationTemplate } from 'aws-cdk-lib/aws-ecr';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { cachedUpstreams } from '../../shared/model/pull-through.ts';
import type { Stage } from '../../shared/model/stage.ts';

/** Images that a tag has left are kept this long for what was launched with them. */
const untaggedDays = 30;

/**
 * ECR as a cache of the public registries that the stage names. Secrets are made with an empty token, which an operator
 * replaces; until then the upstream refuses, and hosts pull from it themselves. Repositories get no tags: setting them
 * would take a role for ECR to assume.
 */
export class PullThroughCache extends Construct {
  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    for (const { key, name, prefix, registryUrl } of cachedUpstreams(stage)) {
      const account = stage.pullThroughCache?.[key];
      const secret = typeof account === 'object' ? this.secretOf(stage, name, account.username) : undefined;
      new CfnPullThroughCacheRule(this, `Rule-${name}`, {
        ecrRepositoryPrefix: prefix,
        upstreamRegistryUrl: registryUrl,
        ...(secret ? { credentialArn: secret.secretArn } : {}),
      });
      new CfnRepositoryCreationTemplate(this, `Template-${name}`, {
        prefix,
        appliedFor: ['PULL_THROUGH_CACHE'],
        description: `Images of ${registryUrl}, cached`,
        // ECR moves the tags as their upstream does.
        imageTagMutability: 'MUTABLE',
        lifecyclePolicy: JSON.stringify({
          rules: [
            {
              rulePriority: 1,
              selection: {
                tagStatus: 'untagged',
                countType: 'sinceImagePushed',
                countUnit: 'days',
                countNumber: untaggedDays,
              },
              action: { type: 'expire' },
            },
          ],
        }),
      });
    }
  }

  /** ECR takes only secrets whose names begin with `ecr-pullthroughcache/`, under the account's own key. */
  private secretOf(stage: Stage, name: string, username: string): Secret {
    const secret = new Secret(this, `Secret-${name}`, {
      secretName: `ecr-pullthroughcache/slipway-${stage.stage}-${name}`,
      description: `Account at ${name} for the pull-through cache: put its token here`,
      secretObjectValue: {
        username: SecretValue.unsafePlainText(username),
        accessToken: SecretValue.unsafePlainText('not set yet'),
      },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'The token is made at the upstream registry, where nothing of this account can renew it.',
    });
    return secret;
  }
}
