import { Stack, Validations } from 'aws-cdk-lib';
import { type IPrincipal, PolicyDocument, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { type Access, statementOf } from '../access/access.ts';

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
    for (const one of access) acknowledgeWildcards(this, one);
  }
}

/** Tells cdk-nag why a pattern stands in a policy, with the reason written beside it. */
export function acknowledgeWildcards(role: Construct, { resources, wildcard }: Access): void {
  const patterns = resources.map((resource) => findingText(Stack.of(role).resolve(resource)));
  const found = patterns.filter((pattern) => pattern.includes('*'));
  if (wildcard !== undefined && found.length === 0)
    throw new Error(
      `${role.node.path}: "${wildcard}" explains a wildcard, but ${patterns.join(', ')} has none`,
    );
  if (wildcard === undefined) return;
  for (const pattern of found)
    Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${pattern}]`, reason: wildcard });
}

/** A resolved ARN the way cdk-nag writes it in a finding's id: references in angle brackets. */
function findingText(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[intrinsic, argument] = []] = Object.entries(value as Record<string, unknown>);
  if (intrinsic === 'Ref') return `<${String(argument)}>`;
  if (intrinsic === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  if (intrinsic === 'Fn::ImportValue') return findingText(argument);
  if (intrinsic === 'Fn::Join') {
    const [delimiter, parts] = argument as [string, unknown[]];
    return parts.map(findingText).join(delimiter);
  }
  return JSON.stringify(value);
}
