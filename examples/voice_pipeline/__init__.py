"""A streaming text-to-speech pipeline over gRPC and WebSockets.

client ── WebSocket ──▶ orchestrator ── gRPC ──▶ worker ── frames ──▶ synthesizer

Read it in this order: `v1/tts.proto`, `synthesizer.py`, `worker.py`, `registry.py`,
`orchestrator.py`, `client.py`. `transport.py` is how each of them serves and connects.
`python -m examples.voice_pipeline --help` lists the commands.
"""
