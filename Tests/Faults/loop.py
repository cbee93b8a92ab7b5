"""An asyncio loop in a thread of its own, so that tests do one thing after the other while visitors, receivers and proxies go on."""

import asyncio
import threading


class Loop:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def begin(self, coroutine):
        """Goes on by itself; the future tells how it ends."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def do(self, coroutine, seconds=60):
        """Waits for the result."""
        return self.begin(coroutine).result(seconds)

    def stop(self):
        self.do(self.cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def cancel_all(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
