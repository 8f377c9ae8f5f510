import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { arnsOf, type Deployment } from './access/deployment.ts';
import { stateMachineArn } from './access/work.ts';
import type { Bundles } from './bundles.ts';
import { AlarmTopic } from './constructs/alarm-topic.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { ExperimentStateMachine } from './constructs/experiment-state-machine.ts';
import { SlipwayFunction } from './constructs/function.ts';
import { HouseAlarm } from './constructs/house-alarm.ts';
import { RequestApi } from './constructs/request-api.ts';
import { eventRule, minutely } from './constructs/work-events.ts';
import type { DataStack, SlipwayStackProps } from './data-stack.ts';
import type { FunctionDeclaration } from './functions/declaration.ts';
import { environmentOf } from './functions/environment.ts';
import {
  authorizer,
  batchEvents,
  buildEvents,
  launcher,
  reconciler,
  requestFunctions,
} from './functions/index.ts';
import type { ApiRoute } from './openapi.ts';

export interface ApiStackProps extends SlipwayStackProps {
  data: DataStack;
  bundles: Bundles;
  routes: ApiRoute[];
}

/** The functions and whatever calls them: the HTTP API, the state machine, rules and the schedule. */
export class ApiStack extends Stack {
  private readonly props: ApiStackProps;
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { stage, names, data } = props;
    this.props = props;
    const requests = new RequestApi(this, 'Requests', { names });
    this.deployment = {
      ...arnsOf(this),
      stage,
      names,
      tableName: data.table.tableName,
      tableArn: data.table.tableArn,
      artifactsBucket: data.artifacts.bucketName,
      artifactsBucketArn: data.artifacts.bucketArn,
      tokenKeySecretArn: data.tokenKey.secretArn,
      ecrRegistry: data.ecrRegistry,
      issuer: data.identities.issuer,
      audience: data.identities.audience,
      userPoolId: data.identities.userPool?.userPoolId,
      userPoolArn: data.identities.userPool?.userPoolArn,
      apiUrl: requests.api.apiEndpoint,
    };

    requests.addRoutes(
      props.routes,
      new Map(requestFunctions.map((declaration) => [declaration.name, this.addFunction(declaration)])),
      this.addFunction(authorizer),
    );
    const alarms = new AlarmTopic(this, 'Alarms', { topicName: `${names.prefix}-alarms` });
    const experiments = new ExperimentStateMachine(this, 'Experiments', {
      names,
      launcher: this.addFunction(launcher),
    });
    new HouseAlarm(this, 'ExperimentsBroken', {
      name: `${names.prefix}-experiments-broken`,
      description: 'The state machine of an experiment failed.',
      metric: experiments.metricBroken(),
      action: alarms.action,
    });
    new HouseAlarm(this, 'RequestsFailing', {
      name: `${names.prefix}-requests-failing`,
      description: 'The API answered with server errors.',
      metric: requests.api.metricServerError({ period: Duration.minutes(5), statistic: 'Sum' }),
      action: alarms.action,
    });
    new HouseAlarm(this, 'FunctionsThrottled', {
      name: `${names.prefix}-functions-throttled`,
      description: "Lambda refused invocations: the account's concurrent executions are used up.",
      // Without dimensions: all functions of the account share one limit, so another's can use it up.
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Throttles',
        period: Duration.minutes(5),
        statistic: 'Sum',
      }),
      action: alarms.action,
    });
    this.addEvents(alarms);
    this.addOutputs({ alarmTopicArn: alarms.topicArn });
  }

  /** Every edge that nobody waits for: rules, the schedule. Each has a queue for what it gave up, and an alarm on it. */
  private addEvents(alarms: AlarmTopic): void {
    const { names } = this.props;
    const asynchronous = (declaration: FunctionDeclaration) => {
      const recipient = names.function(declaration.name);
      const deadLetterQueue = new DeadLetters(this, `${declaration.name}-dead-letters`, {
        recipient,
        action: alarms.action,
      });
      return { target: this.addFunction(declaration, deadLetterQueue), deadLetterQueue };
    };
    eventRule(this, 'BuildChanges', {
      ...asynchronous(buildEvents),
      ruleName: `${names.prefix}-build-changes`,
      description: "Builds' states and phases",
      pattern: {
        source: ['aws.codebuild'],
        detailType: ['CodeBuild Build State Change', 'CodeBuild Build Phase Change'],
        detail: { 'project-name': [names.buildProject] },
      },
    });
    eventRule(this, 'JobChanges', {
      ...asynchronous(batchEvents),
      ruleName: `${names.prefix}-job-changes`,
      description: "Jobs' states, and what blocks the head of a queue",
      pattern: {
        source: ['aws.batch'],
        detailType: ['Batch Job State Change', 'Batch Job Queue Blocked'],
        detail: { jobQueue: [{ prefix: this.deployment.arn('batch', `job-queue/${names.prefix}-`) }] },
      },
    });
    minutely(this, 'Reconcile', {
      ...asynchronous(reconciler),
      scheduleName: `${names.prefix}-reconcile`,
      description: 'Finishes whatever no event has finished',
    });
  }

  private addFunction(declaration: FunctionDeclaration, deadLetterQueue?: IQueue): IFunction {
    const { names, bundles } = this.props;
    return new SlipwayFunction(this, declaration.name, {
      declaration,
      names,
      folder: bundles.functionFolder(declaration.name),
      environment: environmentOf(declaration, this.deployment),
      access: declaration.access(this.deployment),
      ...(deadLetterQueue ? { deadLetterQueue } : {}),
    });
  }

  private addOutputs({ alarmTopicArn }: { alarmTopicArn: string }): void {
    const { identities } = this.props.data;
    const values: Record<string, string | undefined> = {
      ApiUrl: this.deployment.apiUrl,
      AuthIssuer: identities.issuer,
      UserPoolId: identities.userPool?.userPoolId,
      UserPoolClientId: identities.client?.userPoolClientId,
      TableName: this.deployment.tableName,
      ArtifactsBucket: this.deployment.artifactsBucket,
      TokenKeySecretArn: this.deployment.tokenKeySecretArn,
      EcrRegistry: this.deployment.ecrRegistry,
      BuildProject: this.props.names.buildProject,
      StateMachineArn: stateMachineArn(this.deployment),
      AlarmTopicArn: alarmTopicArn,
    };
    for (const [name, value] of Object.entries(values))
      if (value !== undefined) new CfnOutput(this, name, { value });
  }
}
