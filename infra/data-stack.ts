import { Fn, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type CfnRepository, Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { indexes } from '../shared/model/indexes.ts';
import type { Stage } from '../shared/model/stage.ts';
import { ArtifactsBucket, LogsBucket } from './constructs/buckets.ts';
import { Identities } from './constructs/identities.ts';
import { HouseLogGroup } from './constructs/log-group.ts';
import { Mail } from './constructs/mail.ts';
import { PullThroughCache } from './constructs/pull-through-cache.ts';
import { defaultImagesNamespace, type Names } from './names.ts';

export interface SlipwayStackProps extends StackProps {
  stage: Stage;
  names: Names;
}

/** What must outlive a deployment: records, files, keys, people, images. */
export class DataStack extends Stack {
  readonly table: Table;
  readonly artifacts: Bucket;
  readonly logsBucket: Bucket;
  readonly tokenKey: Secret;
  readonly identities: Identities;
  /** Host of this account's registry, such as `111122223333.dkr.ecr.eu-west-1.amazonaws.com`. */
  readonly ecrRegistry: string;

  constructor(scope: Construct, id: string, { stage, names, ...props }: SlipwayStackProps) {
    super(scope, id, props);
    // A first deployment that fails takes back what it has made, so that it can be repeated. Protection against
    // deletion in the resources themselves would make that fail, too.
    const removalPolicy = stage.retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;

    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
    });
    for (const [indexName, sortKey] of Object.entries(indexes)) this.addIndex(indexName, 'pk', sortKey);
    this.addIndex('byDue', 'openKey', 'dueAt');

    this.logsBucket = new LogsBucket(this, 'AccessLogs', { removalPolicy });
    this.artifacts = new ArtifactsBucket(this, 'Artifacts', {
      organisations: stage.organisations.map((one) => one.id),
      accessLogs: this.logsBucket,
      removalPolicy,
    });

    this.tokenKey = new Secret(this, 'TokenKey', {
      description: `Key that ${names.prefix}'s tokens are hashed with`,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy,
    });
    Validations.of(this.tokenKey).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Every issued token is a hash under this key: rotating it revokes them all, so it is done by hand.',
    });

    // Long logs are archived in the bucket as they end; here they only have to outlast what is still running.
    for (const [logId, logGroupName] of [
      ['BuildLogs', names.buildLogGroup],
      ['JobLogs', names.jobLogGroup],
    ] as const)
      new HouseLogGroup(this, logId, { logGroupName, retention: RetentionDays.THREE_MONTHS });

    new Mail(this, 'Mail', { stage, names });
    this.identities = new Identities(this, 'Identities', { stage, names, removalPolicy });

    const repository = new Repository(this, 'DefaultImages', {
      repositoryName: `${defaultImagesNamespace}/python`,
      imageTagMutability: TagMutability.MUTABLE,
      removalPolicy,
      emptyOnDelete: !stage.retainData,
    });
    new PullThroughCache(this, 'PullThroughCache', { stage });
    // The attribute rather than a name put together here: it is right in every partition and on every endpoint.
    const { attrRepositoryUri } = repository.node.defaultChild as CfnRepository;
    this.ecrRegistry = Fn.select(0, Fn.split('/', attrRepositoryUri));
  }

  private addIndex(indexName: string, partitionKey: string, sortKey: string): void {
    this.table.addGlobalSecondaryIndex({
      indexName,
      partitionKey: { name: partitionKey, type: AttributeType.STRING },
      sortKey: { name: sortKey, type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}
