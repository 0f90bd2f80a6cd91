"""An inverter whose layers are those of a language model, which knows how sentences go before it has seen a vector.

Any causal language model of transformers in which a position may be told what it sees: GPT-2, Llama, Qwen, ... It is
trained further like an inverter's own layers. Its tokens are those of its own tokenizer that the training texts have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from nextvec.decoding.inverter.network import BOUNDARY, InverterNetwork, Memory, NetworkConfig
from nextvec.decoding.inverter.vocabulary import FIRST, UNKNOWN, Ints
from nextvec.encoders.inference.pretrained import hash_parameters, load_pretrained, quiet_transformers
from nextvec.errors import IntegrityError, NotFoundError, UsageError

EXECUTABLE = "auto_map"
"""Of a configuration: names code that would be loaded with it."""
TOLERANCE = 1e-3
CHECKED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """A causal language model of transformers, its tokenizer (of the `tokenizers` library), a hash of its weights."""

    name: str
    network: Any
    tokenizer: Any
    weights: str

    @classmethod
    def load(cls, name: str) -> Self:
        """From a folder, or a name on the Hugging Face hub: config.json, safetensors, tokenizer.json.

        Raises NotFoundError where it cannot be reached, IntegrityError where weights are missing, UsageError for
        another kind of model, one that brings code of its own, and one without a fast tokenizer.
        """
        from transformers import AutoModelForCausalLM

        options = {"use_safetensors": True, "trust_remote_code": False, "attn_implementation": "sdpa"}
        try:
            network, tokenizer = load_pretrained(AutoModelForCausalLM, name, owner="start", **options)
        except NotFoundError:
            raise NotFoundError(
                f"start = {name} is no folder with config.json, model.safetensors and tokenizer.json, and no name on "
                "the hub that can be reached. Give one that is: --set start=FOLDER"
            ) from None
        except ValueError as error:
            reason = str(error).strip().split("\n")[0]
            raise UsageError(f"start = {name} is no causal language model that transformers knows: {reason}") from None
        fast = getattr(tokenizer, "backend_tokenizer", None)
        if fast is None:
            raise UsageError(
                f"start = {name}: its tokenizer has no tokenizer.json; expected a model that comes with one"
            )
        fast.no_truncation()
        fast.no_padding()
        return cls(name=name, network=network, tokenizer=fast, weights=hash_parameters(network)[:16])

    def inverter(self, config: NetworkConfig, pieces: Ints) -> PretrainedNetwork:
        """One with its layers, for the tokens `pieces` of its tokenizer. Raises UsageError where it cannot be one."""
        network = PretrainedNetwork(config)
        network.adopt(self, pieces)
        return network

    @property
    def sizes(self) -> dict[str, Any]:
        """What an inverter with its layers has in place of `NetworkConfig`'s sizes."""
        config = self.network.config
        described = {key: value for key, value in config.to_diff_dict().items() if key != EXECUTABLE}
        return {
            "width": config.hidden_size,
            "layers": config.num_hidden_layers,
            "heads": config.num_attention_heads,
            "language_model": {**described, "model_type": config.model_type},
        }


class PretrainedMemory:
    """See `Memory`: transformers keeps keys and values itself."""

    def __init__(self) -> None:
        from transformers import DynamicCache

        self.cache = DynamicCache()

    def take(self, rows: Tensor) -> None:
        self.cache.batch_select_indices(rows)


class PretrainedNetwork(InverterNetwork):
    """See `InverterNetwork`. A position is counted over what may be seen, so padding moves nothing."""

    def _add_layers(self) -> None:
        self.layers = _layers(self.config)
        self.norm = nn.Identity()
        tied = self.layers.config.tie_word_embeddings
        self.output = None if tied else nn.Embedding(self.config.vocabulary, self.config.width)

    def _initialise(self) -> None:
        """What a language model does not have begins at zero, the vectors' tokens excepted."""
        for layer in (self.position, self.hypothesis_position, self.everywhere):
            nn.init.zeros_(layer.weight)

    def adopt(self, model: LanguageModel, pieces: Ints) -> None:
        """Take over the layers, and the embeddings of the tokens `pieces`, ids of its tokenizer.

        Raises UsageError when what is computed with them is something else than the language model computes.
        """
        given = model.network.base_model.state_dict()
        self.layers.load_state_dict({name: given[name] for name in self.layers.state_dict()})
        self._adopt_embeddings(model.network, torch.from_numpy(pieces))
        for project in (self.target, self.hypothesis, self.difference):
            _begin_like(self.embedding.weight, project)
        self._require_same(model, torch.from_numpy(pieces))

    def train(self, mode: bool = True) -> Self:
        """Never with dropout: a run that is resumed must end with the same weights."""
        super().train(mode)
        self.layers.eval()
        return self

    def read(self, x_BTM: Tensor, mask: Tensor, memory: Memory | None = None) -> Tensor:
        """See `InverterNetwork.read`; the last layer's norm included."""
        T, kept_BK = x_BTM.shape[1], mask[:, 0, -1].expand(len(x_BTM), -1)
        cache = memory.cache if isinstance(memory, PretrainedMemory) else None
        read_BTM: Tensor = self.layers(
            inputs_embeds=x_BTM,
            attention_mask=mask.expand(len(x_BTM), -1, T, -1),
            position_ids=(kept_BK.cumsum(dim=1) - 1)[:, -T:].clamp_min(0),
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state
        return read_BTM

    def memory(self, length: int) -> PretrainedMemory:
        """It grows as it must."""
        return PretrainedMemory()

    @property
    def _output_VM(self) -> Tensor:
        return (self.embedding if self.output is None else self.output).weight

    @property
    def _token_scale(self) -> float:
        return 1.0

    @torch.no_grad()
    def _adopt_embeddings(self, network: Any, pieces: Tensor) -> None:
        head, end = network.get_output_embeddings(), network.config.eos_token_id
        _fill(self.embedding.weight, network.get_input_embeddings().weight, pieces, end)
        if self.output is not None:
            _fill(self.output.weight, head.weight, pieces, end)
        if head.bias is not None:
            self.bias[FIRST:] = head.bias[pieces]

    @torch.no_grad()
    def _require_same(self, model: LanguageModel, pieces: Tensor) -> None:
        """Logits of a few tokens after each other, here and there."""
        tokens = torch.arange(min(CHECKED, len(pieces)))[None]
        mask = torch.ones(1, 1, tokens.shape[1], tokens.shape[1], dtype=torch.bool).tril()
        here = self.logits(self.read(self.embedding(tokens + FIRST), mask))[0, :, FIRST:]
        there = model.network(input_ids=pieces[tokens]).logits[0][:, pieces]
        if not torch.allclose(here, there, rtol=TOLERANCE, atol=TOLERANCE * float(there.abs().max())):
            raise UsageError(
                f"start = {model.name}: a {model.network.config.model_type} cannot be told what to read in place of "
                "its tokens (its logits are others then). Start from a model like GPT-2, Llama or Qwen"
            )


def _layers(config: NetworkConfig) -> Any:
    """Those of the description, without weights of tokens and with random ones else."""
    from transformers import AutoConfig, AutoModel

    described = {key: value for key, value in (config.language_model or {}).items() if key != EXECUTABLE}
    try:
        with quiet_transformers():
            known = AutoConfig.for_model(described.pop("model_type"), **described)
            layers = AutoModel.from_config(known, attn_implementation="sdpa")
    except (KeyError, ValueError, TypeError) as error:
        raise IntegrityError(f"its language model cannot be built by this version of transformers: {error}") from None
    layers.set_input_embeddings(nn.Identity())
    _require_room(config, known)
    return layers.eval()


def _require_room(config: NetworkConfig, known: Any) -> None:
    needed, room = 3 * config.pseudo_tokens + 2 * config.longest, getattr(known, "max_position_embeddings", None)
    if room is not None and needed > room:
        raise UsageError(
            f"pseudo_tokens = {config.pseudo_tokens}, longest = {config.longest}: a correction reads {needed} places, "
            f"the language model knows {room}. Set longest to at most {(room - 3 * config.pseudo_tokens) // 2}"
        )


def _fill(own_VM: Tensor, given: Tensor, pieces: Tensor, end: int | list[int] | None) -> None:
    """Rows of the tokens; of the boundary that of the end of a text; of the unknown token the mean."""
    ends = [end] if isinstance(end, int) else end or []
    own_VM[UNKNOWN] = own_VM[BOUNDARY] = given.mean(dim=0)
    if ends and ends[0] < len(given):
        own_VM[BOUNDARY] = given[ends[0]]
    own_VM[FIRST:] = given[pieces]


@torch.no_grad()
def _begin_like(table_VM: Tensor, project: nn.Module) -> None:
    """Tokens of vectors begin as large as those of words."""
    last = project[-1]  # type: ignore[index]
    scale = float(table_VM.std()) / float(last.weight.square().sum(dim=1).mean().sqrt())
    last.weight.mul_(scale)
    last.bias.zero_()
