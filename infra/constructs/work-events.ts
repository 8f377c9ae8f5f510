import { Duration } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { AccessRole, serviceOfAccount } from './role.ts';

export interface EventRuleProps {
  ruleName: string;
  description: string;
  pattern: EventPattern;
  target: IFunction;
  deadLetterQueue: IQueue;
}

/** A rule on the default bus for one function; what can't be delivered in two hours is left in the queue. */
export function eventRule(scope: Construct, id: string, props: EventRuleProps): Rule {
  return new Rule(scope, id, {
    ruleName: props.ruleName,
    description: props.description,
    eventPattern: props.pattern,
    targets: [
      new LambdaFunction(props.target, {
        deadLetterQueue: props.deadLetterQueue,
        maxEventAge: Duration.hours(2),
        retryAttempts: 24,
      }),
    ],
  });
}

export interface MinutelyProps {
  scheduleName: string;
  description: string;
  target: IFunction;
  deadLetterQueue: IQueue;
}

/** Invokes a function every minute. A run that was missed is made good by the next one, so retries end with it. */
export function minutely(scope: Construct, id: string, props: MinutelyProps): Schedule {
  const { target, deadLetterQueue } = props;
  const role = new AccessRole(scope, `${id}Role`, {
    description: `Schedule ${props.scheduleName}`,
    assumedBy: serviceOfAccount(scope, 'scheduler'),
    access: [
      { actions: ['lambda:InvokeFunction'], resources: [target.functionArn] },
      { actions: ['sqs:SendMessage'], resources: [deadLetterQueue.queueArn] },
    ],
  });
  return new Schedule(scope, id, {
    scheduleName: props.scheduleName,
    description: props.description,
    schedule: ScheduleExpression.rate(Duration.minutes(1)),
    target: new LambdaInvoke(target, {
      role: role.withoutPolicyUpdates(),
      deadLetterQueue,
      maxEventAge: Duration.minutes(1),
      retryAttempts: 2,
    }),
  });
}
