import { Router } from 'express';

/** What the routes of health and metrics are made with. */
export interface AdminDeps {
  /** Why the gateway should get no requests now; empty = it should. */
  readonly notReadyBecause: () => readonly string[];
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** `/healthz`, `/readyz` and `/metrics`: for whoever runs the platform. In a cluster they have a port that callers do not reach. */
export function adminRoutes(deps: AdminDeps): Router {
  const router = Router();
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });
  router.get('/readyz', (_req, res) => {
    const reasons = deps.notReadyBecause();
    res.status(reasons.length === 0 ? 200 : 503).json({ ready: reasons.length === 0, reasons });
  });
  router.get('/metrics', async (_req, res) => {
    const { contentType, text } = await deps.metrics();
    res.set('Content-Type', contentType).send(text);
  });
  return router;
}
