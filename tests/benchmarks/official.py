"""Starts renders with Remotion's official client as its page shows it, in a process of its own.

For each line of its input, a number, it starts so many, one after the other, and answers a line.
https://www.remotion.dev/docs/lambda/python
"""

import json
import sys

from remotion_lambda import RemotionClient, RenderMediaParams

if __name__ == "__main__":
    region, function_name, input_props = sys.argv[1:]
    client = RemotionClient(region=region, serve_url="renderhub", function_name=function_name)
    for line in sys.stdin:
        for _ in range(int(line)):
            client.render_media_on_lambda(
                RenderMediaParams(
                    composition="DynamicComp",
                    input_props=json.loads(input_props),
                    codec="h264",
                    frames_per_lambda=60,
                )
            )
        sys.stdout.write("done\n")
        sys.stdout.flush()
