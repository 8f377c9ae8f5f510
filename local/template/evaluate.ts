/** Evaluates all stacks of an assembly together: every name is a pure function, so order doesn't matter. */
import type { Cloud, DeclaredResource, ResourceType } from '../platform.ts';
import type { Assembly, Template, TemplateResource } from './assembly.ts';
import { evaluate, holds, noValue, type Scope } from './intrinsics.ts';

/** A template that can't be brought to life; names the stack and the logical id. */
export class TemplateError extends Error {
  constructor(stack: string, logicalId: string, reason: string) {
    super(`${stack}/${logicalId}: ${reason}`);
    this.name = 'TemplateError';
  }
}

type Place = Pick<Cloud, 'accountId' | 'region'>;

/** Values that don't come from resources. */
function pseudoParameters(stack: string, place: Place): Record<string, unknown> {
  return {
    'AWS::AccountId': place.accountId,
    'AWS::Region': place.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack,
    'AWS::StackId': `arn:aws:cloudformation:${place.region}:${place.accountId}:stack/${stack}/local`,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': noValue,
  };
}

class StackScope implements Scope {
  private readonly declared = new Map<string, DeclaredResource>();
  private readonly underWay = new Set<string>();
  private readonly pseudo: Record<string, unknown>;
  private readonly name: string;
  private readonly template: Template;
  private readonly typeOf: (type: string) => ResourceType | undefined;
  private readonly cloud: Cloud;
  private readonly exported: (name: string) => unknown;

  constructor(
    name: string,
    template: Template,
    typeOf: (type: string) => ResourceType | undefined,
    cloud: Cloud,
    exported: (name: string) => unknown,
  ) {
    this.name = name;
    this.template = template;
    this.typeOf = typeOf;
    this.cloud = cloud;
    this.exported = exported;
    this.pseudo = pseudoParameters(name, cloud);
  }

  /** Every resource whose condition holds, evaluated. */
  resources(): DeclaredResource[] {
    return Object.entries(this.template.Resources ?? {})
      .filter(([, { Type }]) => Type !== 'AWS::CDK::Metadata')
      .filter(([, { Condition }]) => Condition === undefined || this.condition(Condition))
      .map(([logicalId]) => this.resource(logicalId));
  }

  exports(): [name: string, value: () => unknown][] {
    return Object.entries(this.template.Outputs ?? {}).flatMap(([id, { Value, Export }]) =>
      Export
        ? [[String(evaluate(Export.Name, this)), () => this.explained(id, () => evaluate(Value, this))]]
        : [],
    );
  }

  private explained<T>(logicalId: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      throw new TemplateError(this.name, logicalId, error instanceof Error ? error.message : String(error));
    }
  }

  private resource(logicalId: string): DeclaredResource {
    const known = this.declared.get(logicalId);
    if (known) return known;
    const source = this.template.Resources?.[logicalId];
    if (!source) throw new Error(`the template declares no ${logicalId}`);
    if (this.underWay.has(logicalId)) throw new TemplateError(this.name, logicalId, 'refers to itself');
    this.underWay.add(logicalId);
    const declared = this.explained(logicalId, () => this.makeDeclared(logicalId, source));
    this.underWay.delete(logicalId);
    this.declared.set(logicalId, declared);
    return declared;
  }

  private makeDeclared(logicalId: string, source: TemplateResource): DeclaredResource {
    const type = this.typeOf(source.Type);
    if (!type) throw new Error(`the embedded cloud does not support resources of type ${source.Type}`);
    const properties = evaluate(source.Properties ?? {}, this);
    const physicalId = type.physicalId({ stack: this.name, logicalId, properties }, this.cloud);
    const attributes = type.attributes?.({ physicalId, properties }, this.cloud) ?? {};
    return { stack: this.name, logicalId, type: source.Type, properties, physicalId, attributes };
  }

  ref(id: string): unknown {
    if (id in this.pseudo) return this.pseudo[id];
    const parameter = this.template.Parameters?.[id];
    if (!parameter) return this.resource(id).physicalId;
    if (parameter.Default === undefined) throw new Error(`parameter ${id} has no default`);
    return parameter.Default;
  }

  attribute(id: string, name: string): unknown {
    const value = this.resource(id).attributes[name];
    if (value === undefined) throw new Error(`Fn::GetAtt ${id}.${name}: the resource has no such attribute`);
    return value;
  }

  condition(name: string): boolean {
    const expression = this.template.Conditions?.[name];
    if (expression === undefined) throw new Error(`the template has no condition ${name}`);
    return holds(expression, this);
  }

  mapping(map: string, top: string, second: string): unknown {
    const value = this.template.Mappings?.[map]?.[top]?.[second];
    if (value === undefined) throw new Error(`Fn::FindInMap: the template has no ${map}.${top}.${second}`);
    return value;
  }

  importValue(name: string): unknown {
    return this.exported(name);
  }

  availabilityZones(region: string): string[] {
    return ['a', 'b', 'c'].map((zone) => region + zone);
  }
}

/**
 * All declared resources of all stacks, names and references resolved.
 * @param typeOf how a CloudFormation type is named; undefined for types nobody serves
 * @throws TemplateError naming the stack and the logical id of the first thing that doesn't resolve
 */
export function evaluateAssembly(
  assembly: Assembly,
  typeOf: (type: string) => ResourceType | undefined,
  cloud: Cloud,
): DeclaredResource[] {
  const exported = new Map<string, () => unknown>();
  const lookUp = (name: string): unknown => {
    const value = exported.get(name);
    if (!value) throw new Error(`Fn::ImportValue: no stack exports ${name}`);
    return value();
  };
  const scopes = assembly.stacks.map(
    ({ name, template }) => new StackScope(name, template, typeOf, cloud, lookUp),
  );
  for (const scope of scopes) for (const [name, value] of scope.exports()) exported.set(name, value);
  return scopes.flatMap((scope) => scope.resources());
}
