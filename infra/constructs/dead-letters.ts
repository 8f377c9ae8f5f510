import { Duration, Validations } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { HouseAlarm } from './house-alarm.ts';

export interface DeadLettersProps {
  /** Stage's prefix and what the letters were meant for, such as `slipway-prod-build-events`. */
  recipient: string;
  action: IAlarmAction;
}

/** Where an asynchronous edge leaves what it could not deliver, with the alarm that says so. */
export class DeadLetters extends Queue {
  constructor(scope: Construct, id: string, { recipient, action }: DeadLettersProps) {
    super(scope, id, {
      queueName: `${recipient}-dead-letters`,
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself.',
    });
    new HouseAlarm(this, 'Alarm', {
      name: `${recipient}-dead-letters`,
      description: `Events for ${recipient} were given up.`,
      metric: this.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      action,
    });
  }
}
