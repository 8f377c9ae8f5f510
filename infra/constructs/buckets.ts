import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** What both buckets have in common: nothing public, TLS only, no ACLs. */
const closed = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
};

/** Access logs of the other bucket, and the hosts' flow logs. */
export class LogsBucket extends Bucket {
  constructor(scope: Construct, id: string, { removalPolicy }: { removalPolicy: RemovalPolicy }) {
    super(scope, id, {
      ...closed,
      removalPolicy,
      lifecycleRules: [{ id: 'expire', expiration: Duration.days(90) }],
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It receives access logs; logging the logs would never end.',
    });
  }
}

export interface ArtifactsBucketProps {
  organisations: string[];
  accessLogs: IBucket;
  removalPolicy: RemovalPolicy;
}

/**
 * Uploads, build specifications and results, archived logs, outputs: keys begin with the organisation, so what ends
 * by itself has a rule per organisation. Browsers don't upload here, so there is no CORS.
 */
export class ArtifactsBucket extends Bucket {
  constructor(scope: Construct, id: string, props: ArtifactsBucketProps) {
    super(scope, id, {
      ...closed,
      removalPolicy: props.removalPolicy,
      serverAccessLogsBucket: props.accessLogs,
      serverAccessLogsPrefix: 'artifacts/',
      lifecycleRules: [
        { id: 'abandoned-parts', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        ...props.organisations.flatMap((organisation) => [
          // A later build of an image takes the context of the one before; half a year is long for that.
          {
            id: `${organisation}-uploads`,
            prefix: `${organisation}/uploads/`,
            expiration: Duration.days(180),
          },
          // Read while the build is under way, and not again.
          { id: `${organisation}-builds`, prefix: `${organisation}/builds/`, expiration: Duration.days(30) },
          { id: `${organisation}-logs`, prefix: `${organisation}/logs/`, expiration: Duration.days(400) },
        ]),
      ],
    });
  }
}
