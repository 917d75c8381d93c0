/** Why something failed, the same in the payloads of all services. */
export type ErrorDetails = {
  readonly message: string;
  /** Of the families ERR_INVALID_, ERR_K8S_, ERR_UPSTREAM_, ERR_INTERNAL_, ERR_LIMIT_ and ERR_TIMEOUT_. */
  readonly code: string;
  readonly component:
    'gateway' | 'aianalysis' | 'workflowexecution' | 'remediationorchestrator' | 'signalprocessing' | 'authwebhook';
  readonly retry_possible: boolean;
  readonly stack_trace?: readonly string[];
};
