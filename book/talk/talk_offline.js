// Answers for the page and the files beside it when there is no connection: what the page kept (see model.js).
// With a connection everything comes fresh, as without this script.
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const kept = () => caches.match(event.request, { ignoreSearch: true });
  event.respondWith(fetch(event.request).catch(async () => (await kept()) ?? Response.error()));
});
