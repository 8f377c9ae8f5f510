/** Hands a payload to a target: a function, a queue or a state machine, with AWS's permission checks. */
import { AwsError, type Cloud, type Principal } from '../platform.ts';

export interface DeliveryTarget {
  arn: string;
  /** With a role the delivery acts as it; without, the target's own policy must admit the service. */
  roleArn?: string;
}

/** The service that delivers, and the rule or schedule that it delivers for. */
export interface DeliverySource {
  service: 'events.amazonaws.com' | 'scheduler.amazonaws.com';
  arn: string;
}

const requestTimeoutMs = 10_000;

const kinds = ['lambda', 'sqs', 'states'] as const;
type TargetKind = (typeof kinds)[number];

/** What an ARN points to; throws an Error for targets that are not part of the embedded cloud. */
export function targetKind(arn: string): TargetKind {
  const kind = kinds.find((one) => one === arn.split(':')[2]);
  if (!kind)
    throw new Error(`target ${arn}: the embedded cloud supports only functions, queues and state machines`);
  return kind;
}

function assume(
  cloud: Cloud,
  roleArn: string,
  source: DeliverySource,
): { principal: Principal; credentials: ReturnType<Cloud['issueCredentials']> } {
  const credentials = cloud.issueCredentials(
    roleArn,
    source.service,
    source.arn.replace(/[^\w+=,.@-]/g, '-').slice(-64),
  );
  const principal = cloud.principalOf(credentials.accessKeyId);
  if (!principal)
    throw new AwsError('AccessDeniedException', `${source.service} can't assume the role ${roleArn}.`);
  return { principal, credentials };
}

/** Delivers once; throws AWS's error where that fails. `payload` is JSON text. */
export async function deliverOnce(
  cloud: Cloud,
  target: DeliveryTarget,
  source: DeliverySource,
  payload: string,
): Promise<void> {
  const kind = targetKind(target.arn);
  if (kind === 'states') {
    if (!target.roleArn) throw new AwsError('AccessDeniedException', `Target ${target.arn} has no role.`);
    const { credentials } = assume(cloud, target.roleArn, source);
    // Loaded only where a template has such a target: it would slow every start.
    const { SFNClient, StartExecutionCommand } = await import('@aws-sdk/client-sfn');
    const requestHandler = { requestTimeout: requestTimeoutMs };
    const client = new SFNClient({
      endpoint: cloud.endpointUrl,
      region: cloud.region,
      credentials,
      requestHandler,
    });
    try {
      await client.send(new StartExecutionCommand({ stateMachineArn: target.arn, input: payload }));
    } finally {
      client.destroy();
    }
    return;
  }
  if (kind === 'sqs') {
    sendAs(cloud, target, source, payload);
    return;
  }
  const role = actingRole(target, source);
  if (role) cloud.authorize(assume(cloud, role, source).principal, 'lambda:InvokeFunction', target.arn);
  const invoker = role ? undefined : { service: source.service, sourceArn: source.arn };
  cloud.invokeFunctionAsync(target.arn, JSON.parse(payload), invoker);
}

/** Functions and queues know rules by their own policies; schedules act through a role. */
const actingRole = (target: DeliveryTarget, source: DeliverySource): string | undefined =>
  source.service === 'scheduler.amazonaws.com' ? target.roleArn : undefined;

/** Puts a message into the queue `target.arn`; also for dead letters. */
export function sendAs(
  cloud: Cloud,
  target: DeliveryTarget,
  source: DeliverySource,
  body: string,
  attributes: Record<string, string> = {},
): void {
  const role = actingRole(target, source);
  if (role) cloud.authorize(assume(cloud, role, source).principal, 'sqs:SendMessage', target.arn);
  const sender = role ? undefined : { service: source.service, sourceArn: source.arn };
  cloud.sendToQueue(target.arn, body, sender, attributes);
}
