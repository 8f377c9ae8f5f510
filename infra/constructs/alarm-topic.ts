import { Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

/** Where alarms go; operators subscribe to it. */
export class AlarmTopic extends Topic {
  readonly action = new SnsAction(this);

  constructor(scope: Construct, id: string, { topicName }: { topicName: string }) {
    super(scope, id, { topicName, enforceSSL: true });
    // A policy of its own replaces SNS's default one, which had let CloudWatch in.
    this.addToResourcePolicy(
      new PolicyStatement({
        actions: ['sns:Publish'],
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        resources: [this.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }
}
