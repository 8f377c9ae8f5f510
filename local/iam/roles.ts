/** Roles and their policies as the templates declare them, and the decision about every call. */
import {
  AwsError,
  type Cloud,
  type DeclaredResource,
  type Principal,
  type ResourceType,
} from '../platform.ts';
import { generatedName } from '../template/names.ts';
import { awsManagedPolicies } from './aws-managed.ts';
import type { Context } from './conditions.ts';
import { evaluatePolicy, parsePolicy, type Statement, statementsFor } from './policy.ts';

interface Role {
  arn: string;
  trust: Statement[];
  policies: Statement[];
  boundary?: Statement[];
}

interface PolicyEntry {
  PolicyName: string;
  PolicyDocument: unknown;
}

const awsPolicyPrefix = 'arn:aws:iam::aws:policy/';

const iamArn = (cloud: Cloud, resource: string) => `arn:aws:iam::${cloud.accountId}:${resource}`;
const pathOf = (properties: { Path?: string }) => properties.Path ?? '/';

/** How IAM's CloudFormation types are named. */
export const iamResourceTypes: Record<string, ResourceType> = {
  'AWS::IAM::Role': {
    physicalId: (declared) => declared.properties.RoleName ?? generatedName(declared),
    attributes: ({ physicalId, properties }, cloud) => ({
      Arn: iamArn(cloud, `role${pathOf(properties)}${physicalId}`),
      RoleId: `AROA${Buffer.from(physicalId).toString('hex').slice(0, 16).toUpperCase()}`,
    }),
  },
  'AWS::IAM::Policy': { physicalId: (declared) => declared.properties.PolicyName ?? generatedName(declared) },
  'AWS::IAM::RolePolicy': {
    physicalId: (declared) => declared.properties.PolicyName ?? generatedName(declared),
  },
  'AWS::IAM::ManagedPolicy': {
    physicalId: ({ properties, ...declared }, cloud) =>
      iamArn(cloud, `policy${pathOf(properties)}${properties.ManagedPolicyName ?? generatedName(declared)}`),
    attributes: ({ physicalId }) => ({ PolicyArn: physicalId }),
  },
  'AWS::IAM::InstanceProfile': {
    physicalId: (declared) => declared.properties.InstanceProfileName ?? generatedName(declared),
    attributes: ({ physicalId, properties }, cloud) => ({
      Arn: iamArn(cloud, `instance-profile${pathOf(properties)}${physicalId}`),
    }),
  },
  'AWS::IAM::ServiceLinkedRole': {
    physicalId: ({ properties }) => `AWSServiceRoleFor${String(properties.AWSServiceName).split('.')[0]}`,
  },
};

/** Everybody's permissions. */
export class Roles {
  private readonly byArn = new Map<string, Role>();
  private readonly cloud: Pick<Cloud, 'accountId' | 'region' | 'now'>;

  constructor(cloud: Pick<Cloud, 'accountId' | 'region' | 'now'>) {
    this.cloud = cloud;
  }

  /**
   * Takes the declared roles and policies in place of what was known before.
   * @throws Error naming the resource, on a policy that isn't understood or a managed policy that isn't known
   */
  load(resources: DeclaredResource[]): void {
    this.byArn.clear();
    const managed = new Map<string, Statement[]>();
    for (const { type, physicalId, logicalId, properties } of resources) {
      if (type === 'AWS::IAM::ManagedPolicy') {
        managed.set(physicalId, parsePolicy(properties.PolicyDocument, logicalId));
      }
    }
    const byName = new Map<string, Role>();
    for (const resource of resources.filter(({ type }) => type === 'AWS::IAM::Role')) {
      const role = this.roleOf(resource, managed);
      this.byArn.set(role.arn, role);
      byName.set(resource.physicalId, role);
    }
    for (const { type, physicalId, logicalId, properties } of resources) {
      const names: string[] =
        type === 'AWS::IAM::RolePolicy' ? [properties.RoleName] : (properties.Roles ?? []);
      if (!['AWS::IAM::Policy', 'AWS::IAM::RolePolicy', 'AWS::IAM::ManagedPolicy'].includes(type)) continue;
      const statements = managed.get(physicalId) ?? parsePolicy(properties.PolicyDocument, logicalId);
      for (const name of names) {
        const role = byName.get(name);
        if (!role) throw new Error(`${logicalId}: the template has no role ${name}`);
        role.policies.push(...statements);
      }
    }
  }

  private roleOf(
    { logicalId, properties, attributes }: DeclaredResource,
    managed: Map<string, Statement[]>,
  ): Role {
    const named = (arn: string): Statement[] => {
      const own = managed.get(arn);
      if (own) return own;
      const document =
        arn.startsWith(awsPolicyPrefix) && awsManagedPolicies[arn.slice(awsPolicyPrefix.length)];
      if (!document)
        throw new Error(`${logicalId}: the embedded cloud doesn't know the managed policy ${arn}`);
      return parsePolicy(document, arn);
    };
    const inline: PolicyEntry[] = properties.Policies ?? [];
    const attached: string[] = properties.ManagedPolicyArns ?? [];
    return {
      arn: attributes.Arn ?? '',
      trust: parsePolicy(properties.AssumeRolePolicyDocument, `${logicalId} (trust)`),
      policies: [
        ...inline.flatMap((policy) =>
          parsePolicy(policy.PolicyDocument, `${logicalId}/${policy.PolicyName}`),
        ),
        ...attached.flatMap(named),
      ],
      boundary: properties.PermissionsBoundary && named(properties.PermissionsBoundary),
    };
  }

  has(roleArn: string): boolean {
    return this.byArn.has(roleArn);
  }

  private contextOf(principal: Principal): Context {
    const now = this.cloud.now();
    return {
      'aws:PrincipalArn': principal.arn,
      'aws:PrincipalAccount': this.cloud.accountId,
      'aws:PrincipalType': principal.kind === 'root' ? 'Account' : 'AssumedRole',
      'aws:RequestedRegion': this.cloud.region,
      // Loopback stands in for TLS here: policies that refuse plain HTTP mean the network.
      'aws:SecureTransport': 'true',
      'aws:CurrentTime': now.toISOString(),
      'aws:EpochTime': String(Math.floor(now.getTime() / 1000)),
    };
  }

  /** @throws AwsError `AccessDeniedException` unless the principal's policies allow it */
  authorize(principal: Principal, action: string, resource: string, context: Context = {}): void {
    if (principal.kind === 'root') return;
    const role = this.byArn.get(principal.arn);
    const request = { action, resource, context: { ...this.contextOf(principal), ...context } };
    const answer = role && evaluatePolicy(role.policies, request);
    const bounded = role?.boundary ? evaluatePolicy(role.boundary, request) : answer;
    if (answer === 'Allow' && bounded === 'Allow') return;
    const who = role
      ? `${role.arn} (session ${principal.sessionName})`
      : principal.arn || 'an anonymous caller';
    const reason =
      answer === 'Deny' || bounded === 'Deny'
        ? 'with an explicit deny in an identity-based policy'
        : `because no identity-based policy allows the ${action} action`;
    throw new AwsError(
      'AccessDeniedException',
      `User: ${who} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
      400,
    );
  }

  /** Whether the role's trust policy lets this service or role assume it. */
  admits(roleArn: string, kind: 'Service' | 'AWS', names: string[], context: Context = {}): boolean {
    const role = this.byArn.get(roleArn);
    if (!role) return false;
    const request = {
      action: 'sts:AssumeRole',
      resource: roleArn,
      context: { 'aws:SourceAccount': this.cloud.accountId, ...context },
    };
    return evaluatePolicy(statementsFor(role.trust, kind, names), request) === 'Allow';
  }
}
