import { envelope } from './envelope.ts';
import type { EventType, Service } from './service.ts';
import { services } from './services.ts';
import type { Fields, Form, Shape } from './shape.ts';

/** docs/events.md, as rows for the generator of pages. */
export type Row = readonly [field: string, required: string, allowed: string];

export type PageSection = {
  readonly title: string;
  readonly intro: string;
  readonly groups: readonly { readonly types: readonly TypeLine[]; readonly rows: readonly Row[] }[];
};

export type TypeLine = readonly [type: string, says: string, action: string, outcome: string, builder: string];

export const envelopeRows = (): readonly Row[] => rowsOf(envelope, '');

export const pageSections = (): readonly PageSection[] =>
  Object.entries<Service>(services).map(([variable, service]) => ({
    title: service.title,
    intro: introOf(service),
    groups: groupsOf(variable, service),
  }));

const introOf = ({ defaults }: Service): string => {
  const { category, actor, resourceType } = defaults;
  const by = actor === null ? 'the person who acted, always named' : `\`${actor.type}\` / \`${actor.id}\``;
  return `Unless an event says otherwise: category \`${category}\`, resource type \`${resourceType}\`, actor ${by}.`;
};

/** Types with one payload stand together. */
const groupsOf = (variable: string, { events }: Service): PageSection['groups'] => {
  const byPayload = Map.groupBy(Object.entries(events), ([, { payload }]) => JSON.stringify(rowsOf(payload, '')));
  return [...byPayload.values()].map((list) => ({
    types: list.map(([name, type]) => lineOf(`${variable}.${name}`, type)),
    rows: rowsOf(list[0]?.[1].payload ?? { kind: 'document' }, ''),
  }));
};

const lineOf = (builder: string, { type, was = [], says, action, outcome, category }: EventType): TypeLine => [
  `\`${type}\`${was.map((old) => `<br>was \`${old}\``).join('')}`,
  says + (category === undefined ? '' : ` Category \`${category}\`.`),
  action,
  outcome,
  `\`${builder}\``,
];

const rowsOf = (shape: Shape, at: string): readonly Row[] => (shape.kind === 'fields' ? fieldRows(shape, at) : []);

const fieldRows = ({ required, optional }: Fields, at: string): readonly Row[] => {
  const rows = (fields: Readonly<Record<string, Shape>>, must: string): Row[] =>
    Object.entries(fields).flatMap(([name, shape]) => [
      [`\`${at}${name}\``, must, allowedOf(shape)] as const,
      ...rowsOf(shape, `${at}${name}.`),
    ]);
  return [...rows(required, 'required'), ...rows(optional, '')];
};

const number = (value: number): string =>
  Math.abs(value) === Number.MAX_SAFE_INTEGER ? `${value < 0 ? '-' : ''}(2^53 - 1)` : String(value);

const allowedOf = (shape: Form): string => {
  switch (shape.kind) {
    case 'text':
      if (shape.form !== undefined) return shape.form.words;
      return `text, ${shape.min === 0 ? 'up to' : `${shape.min} to`} ${shape.max} characters`;
    case 'one-of':
      return shape.values.map((value) => `\`${value}\``).join(', ');
    case 'whole':
      return `whole number, ${number(shape.min)} to ${number(shape.max)}`;
    case 'fraction':
      return `number, ${shape.min} to ${shape.max}`;
    case 'yes-no':
      return 'true or false';
    case 'text-map':
      return `texts by name, up to ${shape.max}`;
    case 'list':
      return `list of up to ${shape.max} texts`;
    case 'document':
      return 'object';
    case 'fields':
      return 'object';
  }
};
