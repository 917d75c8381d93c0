import type { Actor, Service } from '../schemas/catalogue/service.ts';
import { services } from '../schemas/catalogue/services.ts';
import type { TypeOf } from '../schemas/catalogue/shape.ts';
import { auditEvent, type AuditEvent, type Moment, type Statement } from './audit-event.ts';
import { uuidV7Source } from './uuid-v7.ts';

/**
 * Makes one kind of event. Make it once and keep it until Kafka has acknowledged it: sent again under its id it is
 * stored once, made anew it is another event.
 */
export type EventBuilder<Data extends object, Named = unknown> = (statement: Statement<Data> & Named) => AuditEvent;

type DataOf<S> = TypeOf<S> extends object ? TypeOf<S> : never;
type Named<S extends Service> = S['defaults']['actor'] extends null ? { readonly actor: Actor } : unknown;

/** A builder for each event of a service, typed by its payload. */
export type Builders<S extends Service> = {
  readonly [K in keyof S['events']]: EventBuilder<DataOf<S['events'][K]['payload']>, Named<S>>;
};

/** `moment` is what an event has that states neither id nor time. */
export const buildersOf = <S extends Service>(service: S, moment: Moment): Builders<S> =>
  Object.fromEntries(
    Object.entries(service.events).map(([name, type]) => [
      name,
      (said: Statement<object>) => auditEvent(type, service.defaults, said, moment),
    ]),
  ) as unknown as Builders<S>;

const present: Moment = { newId: uuidV7Source(), nowUs: () => Date.now() * 1000 };

export const gateway = buildersOf(services.gateway, present);
export const signalProcessing = buildersOf(services.signalProcessing, present);
export const aiAnalysis = buildersOf(services.aiAnalysis, present);
export const workflowExecution = buildersOf(services.workflowExecution, present);
export const remediationOrchestrator = buildersOf(services.remediationOrchestrator, present);
export const notification = buildersOf(services.notification, present);
export const authWebhook = buildersOf(services.authWebhook, present);
