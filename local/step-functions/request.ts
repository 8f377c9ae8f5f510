/** What requests of Step Functions hold, checked by its form: ARNs, tokens, input. */
import { AwsError } from '../platform.ts';
import type { RequestMembers } from '../request-members.ts';

export const machineArnPattern =
  /^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[^:]{1,80}(?::[^:]+)?$/;
export const executionArnPattern =
  /^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:(?:execution|express):[^:]{1,80}(?::[^:]+)+$/;

/** Throws `InvalidArn` for what doesn't match, which AWS looks at before it asks for rights. */
export function readArn(input: RequestMembers, name: string, pattern: RegExp): string {
  const text = input.string(name, { max: 256 });
  if (!pattern.test(text))
    throw new AwsError('InvalidArn', `Invalid Arn: 'Invalid ARN: ${text.slice(0, 100)}'`);
  return text;
}

/** Tokens belong to the list that they were made for. */
export const tokenFor = (machineArn: string, offset: number): string =>
  Buffer.from(`${machineArn} ${offset}`).toString('base64url');

export function readToken(token: string | undefined, machineArn: string): number {
  if (token === undefined) return 0;
  const [list, offset = ''] = Buffer.from(token, 'base64url').toString().split(' ');
  if (list !== machineArn || !/^[1-9]\d{0,8}$/.test(offset))
    throw new AwsError('InvalidToken', `Invalid Token: '${token.slice(0, 100)}'`);
  return Number(offset);
}

export function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new AwsError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: '${text.slice(0, 100)}'`,
    );
  }
}
