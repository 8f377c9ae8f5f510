import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** A log group with a name and an end. It goes with its stack: what must be kept is archived in the bucket. */
export class HouseLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, props: { logGroupName: string; retention: RetentionDays }) {
    super(scope, id, { ...props, removalPolicy: RemovalPolicy.DESTROY });
  }
}
