import { Stack, Validations } from 'aws-cdk-lib';
import { type IPrincipal, PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { type Access, statementOf } from '../access/access.ts';
import { SynthError } from '../synth-error.ts';

export interface AccessRoleProps {
  assumedBy: IPrincipal;
  description: string;
  /** Only for roles whose ARN functions derive; others get CloudFormation's. */
  roleName?: string;
  access: Access[];
}

/**
 * A role with exactly the given access, written into the role itself, so that there is no moment in which it exists
 * without it.
 */
export class AccessRole extends Role {
  constructor(scope: Construct, id: string, { access, ...props }: AccessRoleProps) {
    super(scope, id, {
      ...props,
      ...(access.length > 0
        ? { inlinePolicies: { Access: new PolicyDocument({ statements: access.map(statementOf) }) } }
        : {}),
    });
    const readable = access.map((one) => ({
      ...one,
      resources: one.resources.map((resource) => readableText(this.stack.resolve(resource))),
    }));
    checkSize(this, readable);
    for (const one of readable) acknowledgeWildcards(this, one);
  }
}

/** A service, such as `codebuild`, when it works for the account of the stack and not for a stranger's. */
export function serviceOfAccount(scope: Construct, service: string): ServicePrincipal {
  return new ServicePrincipal(`${service}.amazonaws.com`, {
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });
}

/** IAM's limit for all inline policies of a role together, spaces not counted. */
const policyLimit = 10_240;

/** The policies of functions that serve every organisation grow with their number. */
class PolicyTooLargeError extends SynthError {
  constructor(role: string, characters: number) {
    super(
      `The policy of ${role} has some ${characters} characters, IAM allows ${policyLimit}: this stage has too many organisations. Divide them among several stages, each in an account or region of its own.`,
    );
  }
}

/** References count as they are written here, which is about as long as what they become. */
function checkSize(role: Construct, access: Access[]): void {
  const statements = access.map(({ actions, resources, conditions }) => ({
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(conditions ? { Condition: conditions } : {}),
  }));
  const characters = JSON.stringify(statements).length;
  if (characters > policyLimit) throw new PolicyTooLargeError(role.node.path, characters);
}

/** Tells cdk-nag why a pattern stands in a policy, with the reason written beside it. */
function acknowledgeWildcards(role: Construct, { resources: patterns, wildcard }: Access): void {
  const found = patterns.filter((pattern) => pattern.includes('*'));
  if (wildcard !== undefined && found.length === 0)
    throw new Error(
      `${role.node.path}: "${wildcard}" explains a wildcard, but ${patterns.join(', ')} has none`,
    );
  if (wildcard === undefined) return;
  for (const pattern of found)
    Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${pattern}]`, reason: wildcard });
}

/** A resolved ARN as cdk-nag writes it in a finding's id: references in angle brackets. */
function readableText(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[intrinsic, argument] = []] = Object.entries(value as Record<string, unknown>);
  if (intrinsic === 'Ref') return `<${String(argument)}>`;
  if (intrinsic === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  if (intrinsic === 'Fn::Sub') return String(argument).replaceAll(/\$\{([^}]+)\}/g, '<$1>');
  if (intrinsic === 'Fn::ImportValue') return readableText(argument);
  if (intrinsic === 'Fn::Join') {
    const [delimiter, parts] = argument as [string, unknown[]];
    return parts.map(readableText).join(delimiter);
  }
  return JSON.stringify(value);
}
