"""A local Slack workspace and a practice AI app, for tests, drills and the demo. Imports nothing of the bot.

    from bot.practice.server import PracticeWorkspace

    async with PracticeWorkspace(port=0, latency=0.0, limits=False, now=time.time) as ws:
        ws.api_url, ws.bot_token, ws.app_token, ws.bot_user_id      # for the app under test
        ws.url, ws.page_url, ws.control_token                       # the page; page_url holds the key that lets it act
        alice = ws.person("alice")                                  # also bob, carol, dave, erin, frank; gina is a guest
        await alice.slash("incidents", "/incident sev 2")           # -> Reply(text, blocks, message)
        await alice.press(channel, message, "action_id", value=None, confirm=True)
        await alice.press(None, None, "action_id")                  # in the modal on top; or pass alice.home
        await alice.choose(channel, message, "action_id", "value")  # selects, pickers, checkboxes (a list), overflow
        await alice.submit(None, {"block_id": "value"})             # -> SubmitResult(closed, errors, view)
        await alice.say(channel, text)                              # also edit delete react upload join leave invite kick
        alice.view, alice.home, alice.ephemerals(channel), alice.messages(channel)
        ws.channel("name"), ws.channels(), ws.messages(channel), ws.direct("alice")
        message.buttons(), message.plain(), message.live()          # live(): what would mention somebody or be a link
        await ws.until(lambda: ..., timeout=10); await ws.settled()
        ws.faults.add(method="chat.*", when="after", kind="reset", times=1)
        ws.record.calls("chat.postMessage"), ws.record.envelopes, ws.record.acks, ws.record.versions
        await ws.redeliver(envelope_id, times=2); await ws.disconnect("warning"); await ws.abort_sockets()

A person is refused with ``CannotDo`` what Slack would not let them do; ``DidNotRespond`` and ``BadAck`` say that the
app failed them (``bot.practice.shapes``). From another process: ``bot.practice.client.PracticeClient(url, token)``.

    from bot.practice.ai_app import PracticeAiApp

    async with PracticeAiApp(events_url="http://127.0.0.1:8080/events", events_token="…") as ai:
        ai.url, ai.chat_token, ai.admin_token, ai.credential, ai.canary
        await ai.attack("credential_leak")                          # names: bot.practice.ai_scenarios.SCENARIOS
        await ai.telling.taken(); ai.telling.events                 # what it told of itself
        ai.break_next("error_after", action="block_user")           # faults of the admin API
"""
