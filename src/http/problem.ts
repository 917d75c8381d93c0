/** RFC 9457, the members that we use. `type` is about:blank, so `title` is the phrase of the status. */
export type Problem = {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
};

export const problemType = 'application/problem+json';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  500: 'Internal Server Error',
};

export const problem = (status: number, detail?: string): Problem => ({
  type: 'about:blank',
  title: titles[status] ?? (status < 500 ? 'Bad Request' : 'Internal Server Error'),
  status,
  ...(detail !== undefined && { detail }),
});
