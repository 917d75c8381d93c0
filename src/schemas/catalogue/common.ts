import { list, object, oneOf, text, textLike, yesNo } from './shape.ts';

/** Shapes that the payloads of several services share. */

/** A name in Kubernetes, or a reference made of such names. */
export const name = text(253, 1);
/** A short word whose values are free: a kind, a class, a level. */
export const label = text(253);
/** What is meant for people. */
export const words = text(16_384);
/** A reference to a thing: `namespace/kind/name`, an image with its digest, an address. */
export const reference = text(2_048);

export const hash = textLike(/^[0-9a-f]{64}$/, '64 hex digits', 64);

export const time = textLike(
  /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/,
  'an RFC 3339 time with a zone',
  40,
);

export const duration = textLike(
  /^-?(0|(\d{1,15}(\.\d{1,9})?(ns|us|µs|ms|s|m|h)){1,6})$/,
  'a duration, such as 30m or 1h0m0s',
  64,
);

/** Why something failed. */
export const errorDetails = object(
  {
    message: words,
    code: textLike(
      /^ERR_(INVALID|K8S|UPSTREAM|INTERNAL|LIMIT|TIMEOUT)_[A-Z0-9_]+$/,
      'a code of the families ERR_INVALID_, ERR_K8S_, ERR_UPSTREAM_, ERR_INTERNAL_, ERR_LIMIT_, ERR_TIMEOUT_',
      100,
    ),
    component: oneOf(
      'gateway',
      'aianalysis',
      'workflowexecution',
      'remediationorchestrator',
      'signalprocessing',
      'authwebhook',
    ),
    retry_possible: yesNo,
  },
  { stack_trace: list(10) },
);

/** How long each phase of a remediation may take. */
export const timeoutConfig = object(
  {},
  { global: duration, processing: duration, analyzing: duration, executing: duration },
);

export const environment = oneOf('production', 'staging', 'development');
export const priority = oneOf('P0', 'P1', 'P2', 'P3', 'P4');
export const severity = oneOf('critical', 'high', 'warning', 'info', 'unknown');
