/** Policies that hang on resources (buckets, queues), evaluated beside the caller's own. */
import type { Context } from './iam/conditions.ts';
import {
  type AccessRequest,
  evaluatePolicy,
  parsePolicy,
  type Statement,
  statementsFor,
} from './iam/policy.ts';
import { AwsError, type Caller, type Cloud, type Invoker } from './platform.ts';

export class ResourcePolicies {
  readonly #cloud: Pick<Cloud, 'accountId'>;
  readonly #byResource = new Map<string, Statement[]>();

  constructor(cloud: Pick<Cloud, 'accountId'>) {
    this.#cloud = cloud;
  }

  clear(): void {
    this.#byResource.clear();
  }

  /** Adds a policy document of `resource` (any name that is unique here). Throws on what isn't understood. */
  add(resource: string, document: unknown, declaredBy: string): void {
    const statements = this.#byResource.get(resource) ?? [];
    this.#byResource.set(resource, [...statements, ...parsePolicy(document, declaredBy)]);
  }

  /** Throws `AccessDeniedException` unless the resource's policy or the caller's own allows, and neither denies. */
  authorize(
    caller: Pick<Caller, 'principal' | 'authorize'>,
    owner: string,
    action: string,
    resource: string,
    context: Context = {},
  ): void {
    const { arn } = caller.principal;
    const { accountId } = this.#cloud;
    const statements = this.#byResource.get(owner) ?? [];
    const request: AccessRequest = {
      action,
      resource,
      context: {
        // Loopback stands in for TLS: policies that refuse plain HTTP mean the network.
        'aws:SecureTransport': 'true',
        'aws:PrincipalArn': arn,
        'aws:PrincipalAccount': accountId,
        ...context,
      },
    };
    const account = [`arn:aws:iam::${accountId}:root`, accountId];
    // A statement about the account denies everybody in it, but allows nobody by itself.
    if (evaluatePolicy(statementsFor(statements, 'AWS', [arn, ...account]), request) === 'Deny')
      throw new AwsError(
        'AccessDeniedException',
        `User: ${arn} is not authorized to perform: ${action} on resource: "${resource}" with an explicit deny in a resource-based policy`,
      );
    if (evaluatePolicy(statementsFor(statements, 'AWS', [arn]), request) === 'Allow') return;
    caller.authorize(action, resource, context);
  }

  /** Whether the resource's policy lets an AWS service act on it for one of the account's resources. */
  admits(invoker: Invoker, owner: string, action: string, resource: string): boolean {
    const context = {
      'aws:SecureTransport': 'true',
      'aws:SourceArn': invoker.sourceArn,
      'aws:SourceAccount': this.#cloud.accountId,
    };
    const statements = statementsFor(this.#byResource.get(owner) ?? [], 'Service', [invoker.service]);
    const everybody = statementsFor(this.#byResource.get(owner) ?? [], 'AWS', []);
    return evaluatePolicy([...statements, ...everybody], { action, resource, context }) === 'Allow';
  }
}
