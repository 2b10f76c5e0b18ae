"""The inline policy point. Nothing lives here yet; until it does, containment is carried out by `bot.connectors`."""
