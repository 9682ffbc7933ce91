"""A BERT or DistilBERT layer as one step of autograd, for training on a CPU: the same sums in half as many passes.

Queries, keys and values are one product; frozen weights are cast once and not each time; gradients of residuals, norms
and adapters are added up where they arise; dropout draws four masks from one random number (`fast_dropout`). What it computes is
what the stock layer computes, which stays in place for evaluation; a test holds the two together. Either adapters alone are
learned, or all weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from trainer.model import fast_dropout
from trainer.model.adapters import NAME as ADAPTER
from trainer.model.bert import Linear
from trainer.model.fast_dropout import kept
from trainer.model.first_row import stock_kind

aten = torch.ops.aten

STOCK = (
    "trainer.model.bert",
    "transformers.models.bert.modeling_bert",
    "transformers.models.distilbert.modeling_distilbert",
)
"""Where a layer comes from that nobody has made to compute itself otherwise, such as `first_row` does."""


def make_fast(model: nn.Module) -> None:
    """Let the layers of a stock BERT or DistilBERT classifier compute themselves this way while they are trained on a CPU, where adapters
    alone are learned of them, or everything.

    In place; weights, their names and evaluation stay as they are, and so does the last layer, of which [CLS] alone is
    computed (`first_row`). The dropout behind the embeddings draws as theirs does. Other models are left alone.
    """
    for layer in _stock_layers(model):
        if _adapted(layer) or _whole(layer):
            layer.__class__ = _fast(type(layer))
    if stock_kind(model):
        fast_dropout.make_fast(cast(Any, model).base_model.embeddings.dropout)


def _stock_layers(model: nn.Module) -> list[Any]:
    """The layers of a model that this module knows all of; of others none."""
    kind, found = stock_kind(model), cast(Any, model)
    layers: Any = ()
    if kind == "bert" and found.config.hidden_act == "gelu":
        layers = found.bert.encoder.layer
    elif kind == "distilbert" and found.config.activation == "gelu":
        layers = found.distilbert.transformer.layer
    return [layer for layer in layers if type(layer).__module__ in STOCK]


def _adapted(layer: Any) -> bool:
    """Whether adapters alone are learned of a layer, and stand beside all its linear layers, without dropout of their own."""
    linears = [linear for group in _groups(layer) for linear in group]
    return (
        all(".lora_" in name for name, p in layer.named_parameters() if p.requires_grad)
        and all(hasattr(linear, "lora_A") for linear in linears)
        and all(isinstance(linear.lora_dropout[ADAPTER], nn.Identity) for linear in linears)
    )


def _whole(layer: Any) -> bool:
    """Whether all of a layer is learned, and its linear layers are plain ones."""
    linears = [linear for group in _groups(layer) for linear in group]
    return all(p.requires_grad for p in layer.parameters()) and all(
        type(linear) in (nn.Linear, Linear) for linear in linears
    )


def _groups(layer: Any) -> tuple[tuple[Any, ...], ...]:
    """Its linear layers, those with the same input together."""
    attention = layer.attention
    if hasattr(layer, "ffn"):  # DistilBERT's names
        inputs = (attention.q_lin, attention.k_lin, attention.v_lin)
        return inputs, (attention.out_lin,), (layer.ffn.lin1,), (layer.ffn.lin2,)
    return (
        (attention.self.query, attention.self.key, attention.self.value),
        (attention.output.dense,),
        (layer.intermediate.dense,),
        (layer.output.dense,),
    )


def _fast(kind: type[Any]) -> type[Any]:
    class FastLayer(kind):  # type: ignore[misc]
        """A stock layer that computes forward and backward in one piece while it is trained."""

        def forward(
            self, hidden_states: Tensor, attention_mask: Tensor | None = None, *args: Any, **kwargs: Any
        ) -> Tensor:
            if not self.training or not torch.is_grad_enabled() or hidden_states.device.type != "cpu":
                return super().forward(hidden_states, attention_mask, *args, **kwargs)  # type: ignore[no-any-return]
            dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32
            made = _frozen(self, dtype) if hasattr(_groups(self)[3][0], "lora_A") else _free(self, dtype)
            with torch.autocast("cpu", enabled=False):
                out: Tensor = _Layer.apply(hidden_states, _added(attention_mask, dtype), made, *made.learned)  # type: ignore[no-untyped-call]
            return out

    FastLayer.__name__ = FastLayer.__qualname__ = kind.__name__  # as in errors and printed models
    return FastLayer


class _Product(NamedTuple):
    """Frozen linear layers over one input: `weight` (all outputs, inputs), `bias`, how many outputs each has."""

    weight: Tensor
    bias: Tensor
    outputs: tuple[int, ...]
    scaling: float


Norm = tuple[Tensor, Tensor, float]


@dataclass(frozen=True)
class _Made:
    """What a layer is made of. `learned` are its parameters in the order of their gradients; `products` makes the four
    products of them."""

    learned: list[Tensor]
    products: Callable[[Sequence[Tensor]], Sequence[_Adapted | _Free]]
    norms: tuple[Norm, Norm]
    learns_norms: bool
    heads: int
    dropouts: tuple[float, float]
    """After attention and after the feed-forward part."""
    attention_dropout: float
    dtype: torch.dtype


def _made(
    layer: Any, learned: list[Tensor], products: Callable[..., Any], learns_norms: bool, dtype: torch.dtype
) -> _Made:
    norms = [(norm.weight, norm.bias, norm.eps) for norm in _norms(layer)]
    own: Any = layer.attention
    if hasattr(layer, "ffn"):  # DistilBERT drops nothing of what attention gives
        heads, dropouts = own.n_heads, (0.0, layer.ffn.dropout.p)
    else:
        dropouts = (own.output.dropout.p, layer.output.dropout.p)
        own = own.self
        heads = own.num_attention_heads
    return _Made(learned, products, (norms[0], norms[1]), learns_norms, heads, dropouts, own.dropout.p, dtype)


def _norms(layer: Any) -> tuple[Any, Any]:
    if hasattr(layer, "ffn"):
        return layer.sa_layer_norm, layer.output_layer_norm
    return layer.attention.output.LayerNorm, layer.output.LayerNorm


def _frozen(layer: Any, dtype: torch.dtype) -> _Made:
    """Adapters beside weights that are cast once; anew where those were written to or moved since."""
    groups = _groups(layer)
    linears = [one.base_layer for group in groups for one in group]
    seen = (dtype, *((p.data_ptr(), p._version) for one in linears for p in (one.weight, one.bias)))
    if getattr(layer, "_fixed_of", None) != seen:
        with torch.no_grad():
            layer._fixed = tuple(
                _Product(
                    torch.cat([one.base_layer.weight for one in group]).to(dtype),
                    torch.cat([one.base_layer.bias for one in group]).to(dtype),
                    tuple(one.base_layer.out_features for one in group),
                    float(group[0].scaling[ADAPTER]),
                )
                for group in groups
            )
        layer._fixed_of = seen
    fixed: tuple[_Product, ...] = layer._fixed
    learned = [matrix[ADAPTER].weight for group in groups for one in group for matrix in (one.lora_A, one.lora_B)]

    def products(learned: Sequence[Tensor]) -> list[_Adapted]:
        return [
            _Adapted(product, learned[at : at + 2 * len(product.outputs)], dtype)
            for product, at in zip(fixed, (0, 6, 8, 10), strict=True)
        ]

    return _made(layer, learned, products, False, dtype)


def _free(layer: Any, dtype: torch.dtype) -> _Made:
    """All weights, which change with each step."""
    linears = [one for group in _groups(layer) for one in group]
    learned = [p for one in (*linears, *_norms(layer)) for p in (one.weight, one.bias)]

    def products(learned: Sequence[Tensor]) -> list[_Free]:
        return [_Free(learned[at:to], dtype) for at, to in ((0, 6), (6, 8), (8, 10), (10, 12))]

    return _made(layer, learned, products, True, dtype)


def _added(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """The attention mask as what is added to scores, of (rows, 1, 1 or width, width)."""
    if mask is None or mask.dtype != torch.bool:
        return None if mask is None else mask.to(dtype)
    return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)


class _Adapted:
    """One product with its adapters: forward, and backward with what forward kept."""

    def __init__(self, product: _Product, learned: Sequence[Tensor], dtype: torch.dtype) -> None:
        self.product, self.rank = product, len(learned[0])
        self.a = torch.cat([a.to(dtype) for a in learned[::2]])
        self.b = torch.zeros(sum(product.outputs), len(self.a), dtype=dtype)
        for (rows, columns), b in zip(self._blocks(), learned[1::2], strict=True):
            self.b[rows, columns] = b
        self.b *= product.scaling
        self.x = self.thin = torch.empty(0)

    def _blocks(self) -> list[tuple[slice, slice]]:
        """Where in `b` the adapter of each layer stands: other layers' inputs are nothing to it."""
        found, at = [], 0
        for i, outputs in enumerate(self.product.outputs):
            found.append((slice(at, at + outputs), slice(i * self.rank, (i + 1) * self.rank)))
            at += outputs
        return found

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) -> (n, all outputs)."""
        self.x, self.thin = x, x @ self.a.T
        y = torch.addmm(self.product.bias, x, self.product.weight.T)
        return y.addmm_(self.thin, self.b.T)

    def backward(self, dy: Tensor, needed: bool = True) -> tuple[Tensor | None, list[Tensor]]:
        """The gradients of x (None where it is not needed) and of each adapter's two matrices, in order."""
        thin = dy @ self.b
        da, db = thin.T @ self.x, dy.T @ self.thin
        found = []
        for i, (rows, columns) in enumerate(self._blocks()):
            found += [da[i * self.rank : (i + 1) * self.rank].float(), db[rows, columns].float() * self.product.scaling]
        dx = (dy @ self.product.weight).addmm_(thin, self.a) if needed else None
        return dx, found


class _Free:
    """One product whose weights are learned: (weight, bias) of each of its linear layers."""

    def __init__(self, learned: Sequence[Tensor], dtype: torch.dtype) -> None:
        self.outputs = [len(weight) for weight in learned[::2]]
        self.weight, self.bias = _joined(learned[::2], dtype), _joined(learned[1::2], dtype)
        self.x = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) -> (n, all outputs)."""
        self.x = x
        return torch.addmm(self.bias, x, self.weight.T)

    def backward(self, dy: Tensor, needed: bool = True) -> tuple[Tensor | None, list[Tensor]]:
        """The gradients of x (None where it is not needed) and of each linear layer's weight and bias, in order."""
        weights = (dy.T @ self.x).float().split(self.outputs)
        biases = dy.sum(0, dtype=torch.float32).split(self.outputs)
        found = [gradient for pair in zip(weights, biases, strict=True) for gradient in pair]
        return (dy @ self.weight if needed else None), found


def _joined(parts: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
    """One after the other along their first dimension, cast on the way and not once more behind it."""
    if len(parts) == 1:
        return parts[0].to(dtype)
    made = torch.empty(sum(len(part) for part in parts), *parts[0].shape[1:], dtype=dtype)
    for place, part in zip(made.split([len(part) for part in parts]), parts, strict=True):
        place.copy_(part)
    return made


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, mask: Tensor | None, fixed: _Made, *learned: Tensor) -> Tensor:
        rows, width, size = hidden.shape
        heads = fixed.heads
        qkv, out, up, down = products = fixed.products(learned)
        x = hidden.reshape(-1, size).float()
        q, k, v = qkv.forward(x.to(fixed.dtype)).view(rows, width, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind()
        q, k, v = (part.reshape(rows * heads, width, -1) for part in (q, k, v))
        scores = torch.bmm(q, k.transpose(1, 2)).mul_(q.shape[-1] ** -0.5)
        if mask is not None:
            scores = scores.view(rows, heads, width, width).add_(mask).view(rows * heads, width, width)
        p = torch.softmax(scores, -1)
        kept_p = kept(p, fixed.attention_dropout)
        seen = torch.bmm(p if kept_p is None else p * kept_p, v)
        seen = seen.view(rows, heads, width, -1).transpose(1, 2).reshape(-1, size)
        first, kept_first = _dropped(out.forward(seen), fixed.dropouts[0])
        y, *norm_first = _norm(first + x, fixed.norms[0])
        inner = up.forward(y.to(fixed.dtype))
        second, kept_second = _dropped(down.forward(f.gelu(inner)), fixed.dropouts[1])
        z, *norm_second = _norm(second + y, fixed.norms[1])
        ctx.products, ctx.fixed, ctx.shape = products, fixed, hidden.shape
        ctx.kept = (q, k, v, p, kept_p, kept_first, norm_first, inner, kept_second, norm_second)
        return z.view(hidden.shape)

    @staticmethod
    def backward(ctx: Any, dz: Tensor) -> tuple[Any, ...]:
        fixed: _Made = ctx.fixed
        rows, width, size = ctx.shape
        heads = fixed.heads
        q, k, v, p, kept_p, kept_first, norm_first, inner, kept_second, norm_second = ctx.kept
        qkv, out, up, down = ctx.products
        learns = fixed.learns_norms
        d_second, *of_second = _norm_backward(dz.reshape(-1, size), norm_second, fixed.norms[1], learns)
        d_inner, of_down = down.backward(_times(d_second, kept_second, fixed.dtype))
        d_up, of_up = up.backward(aten.gelu_backward(d_inner, inner))
        d_first, *of_first = _norm_backward(d_second.add_(d_up), norm_first, fixed.norms[0], learns)
        d_seen, of_out = out.backward(_times(d_first, kept_first, fixed.dtype))
        d_seen = d_seen.view(rows, width, heads, -1).transpose(1, 2).reshape(rows * heads, width, -1)
        dp = torch.bmm(d_seen, v.transpose(1, 2))
        dv = torch.bmm((p if kept_p is None else p * kept_p).transpose(1, 2), d_seen)
        if kept_p is not None:
            dp *= kept_p
        ds = aten._softmax_backward_data(dp, p, -1, p.dtype).mul_(q.shape[-1] ** -0.5)
        d_qkv = torch.empty(rows, width, 3, heads, q.shape[-1], dtype=fixed.dtype)
        for i, part in enumerate((torch.bmm(ds, k), torch.bmm(ds.transpose(1, 2), q), dv)):
            d_qkv[:, :, i] = part.view(rows, heads, width, -1).transpose(1, 2)
        dx, of_qkv = qkv.backward(d_qkv.view(rows * width, -1), ctx.needs_input_grad[0])
        d_hidden = None if dx is None else d_first.add_(dx).view(ctx.shape)
        ctx.products = ctx.kept = None
        of_norms = (*of_first, *of_second) if learns else ()
        return (d_hidden, None, None, *of_qkv, *of_out, *of_up, *of_down, *of_norms)


def _dropped(x: Tensor, p: float) -> tuple[Tensor, Tensor | None]:
    mask = kept(x, p)
    return (x if mask is None else x.mul_(mask)), mask


def _times(gradient: Tensor, kept: Tensor | None, dtype: torch.dtype) -> Tensor:
    gradient = gradient.to(dtype)
    return gradient if kept is None else gradient * kept


def _norm(x: Tensor, norm: Norm) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The normalised rows, and what backward needs: the input, its means and its inverse deviations."""
    weight, bias, eps = norm
    y, mean, scale = torch.native_layer_norm(x, weight.shape, weight, bias, eps)
    return y, x, mean, scale


def _norm_backward(dy: Tensor, kept: Sequence[Tensor], norm: Norm, learns: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the input, and of weight and bias where the norm `learns`."""
    weight, bias, _ = norm
    x, mean, scale = kept
    found: tuple[Tensor, Tensor, Tensor] = aten.native_layer_norm_backward(
        dy.contiguous(), x, weight.shape, mean, scale, weight, bias, [True, learns, learns]
    )
    return found
