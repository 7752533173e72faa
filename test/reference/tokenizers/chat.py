"""Renders conversations through chat templates with transformers, and records the text and the generations.

Run with the packages of chat-requirements.txt: python chat.py > fixtures/chat.json
"""

import json
import sys

from transformers.utils.chat_template_utils import render_jinja_template

TEMPLATES = {
    # Turns on one line each, without generation tags.
    "chatml": "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    # Blocks on lines of their own, white space control, tools, a macro, namespaces, strip with characters.
    "blocks": """{%- macro header(role) -%}
<|start|>{{ role }}<|end|>

{% endmacro -%}
{%- set state = namespace(system=false, count=0) %}
{%- if messages[0]['role'] == 'system' %}
    {%- set state.system = true %}
{{ header('system') + messages[0]['content'] | trim + '<|eot|>' }}
{%- endif %}
{%- if tools %}
    {% for tool in tools %}
{{ tool | tojson }}
    {% endfor %}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'system' %}{%- continue %}{%- endif %}
    {%- set state.count = state.count + 1 %}
    {{- header(message.role) }}
    {%- if message.role == 'assistant' %}
        {%- generation -%}
        {{- message.content.lstrip('\\n') }}<|eot|>
        {%- endgeneration -%}
    {%- else %}
        {{- message.content.strip('\\n').replace('  ', ' ') }}<|eot|>
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ header('assistant') }}{%- endif %}
{{- state.count }}""",
    # Tags without white space control on lines of their own, in loops and conditions.
    "lines": """{{ bos_token }}
{% for message in messages %}
  {% if message.role == 'assistant' %}
    Assistant ({{ loop.index }}): {% generation %}
    {{ message.content }}
    {% endgeneration %}

  {% elif message.role == 'user' %}
    User: {{ message.content | upper }}{{ eos_token if loop.last else '' }}
  {% endif %}
{% endfor %}
The end.""",
}

CONVERSATIONS = [
    [{"role": "user", "content": "Hi  there\n"}, {"role": "assistant", "content": "\n\n Hello! "}, {"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}],
    [{"role": "system", "content": " Be kind. "}, {"role": "user", "content": "é\U0001F600 <b>\"x\"</b>"}, {"role": "assistant", "content": "one\n\ntwo \U0001F600"}],
    [{"role": "user", "content": "one"}],
]
TOOLS = [{"type": "function", "function": {"name": "add", "description": "Add \"two\" é < 3", "parameters": {"type": "object", "required": ["a"]}}}]


def utf16(text, position):
    return len(text[:position].encode("utf-16-le")) // 2


def main():
    cases = []
    for name, template in TEMPLATES.items():
        for messages in CONVERSATIONS:
            for tools in (None, TOOLS):
                for prompt in (False, True):
                    marks = "generation %}" in template or "generation -%}" in template
                    texts, generations = render_jinja_template(
                        conversations=[messages], tools=tools, chat_template=template, add_generation_prompt=prompt,
                        return_assistant_tokens_mask=marks, bos_token="<s>", eos_token="</s>",
                    )
                    spans = [[utf16(texts[0], start), utf16(texts[0], end)] for start, end in (generations[0] if marks else [])]
                    cases.append({"template": name, "messages": messages, "tools": tools, "prompt": prompt, "text": texts[0], "generated": spans})
    json.dump({"templates": TEMPLATES, "cases": cases}, sys.stdout, ensure_ascii=False, indent=1)


main()
