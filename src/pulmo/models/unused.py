"""What a network holds but never uses, such as the remains of its own classifier."""

from torch import Tensor, nn
from torch.autograd.graph import Node, saved_tensors_hooks


def untaped(network: nn.Module, images: Tensor) -> Tensor:
    """Returns a network's result with the graph that leads to it, but without its activations.

    So the graph can be walked but not differentiated, and takes no more memory than inference.
    """
    with saved_tensors_hooks(lambda _: None, _refuse):
        result: Tensor = network(images)
    return result


def _refuse(_: None) -> Tensor:
    raise RuntimeError("This graph was made without its activations; it cannot be differentiated.")


def drop_unused(network: nn.Module, result: Tensor) -> tuple[str, ...]:
    """Puts an identity in the place of every module none of whose parameters led to a result.

    Args:
        network: the network to change.
        result: a tensor that it gave, with the graph that leads to it.

    Returns:
        The names of the modules that were replaced.
    """
    return _drop(network, _used(result))


def _used(result: Tensor) -> set[int]:
    """Returns the identities of the leaves of a tensor's graph."""
    seen: set[Node] = set()
    waiting = [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting.extend(parent for parent, _ in node.next_functions)
    return {
        id(leaf) for leaf in (getattr(node, "variable", None) for node in seen) if leaf is not None
    }


def _drop(network: nn.Module, used: set[int]) -> tuple[str, ...]:
    dropped: list[str] = []
    for name, child in list(network.named_children()):
        parameters = list(child.parameters())
        if parameters and not any(id(parameter) in used for parameter in parameters):
            setattr(network, name, nn.Identity())
            dropped.append(name)
        else:
            dropped.extend(f"{name}.{below}" for below in _drop(child, used))
    return tuple(dropped)
