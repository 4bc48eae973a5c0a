"""The four agents as a LangGraph graph: the picture is the code."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langsmith import tracing_context

from app.domain.approval import SubmissionReport
from app.domain.ids import WorkflowId
from app.domain.words import counted
from app.workflow.specialists import Specialists
from app.workflow.state import Run, State

Graph = CompiledStateGraph[State, Run, State, State]


def build_graph(
    specialists: Specialists, checkpointer: BaseCheckpointSaver[str] | None = None
) -> Graph:
    """Monitor, analyse, remediate, propose; a step that finds nothing ends the run.

    With a checkpointer a run that was cut off goes on at the agent it had come to.
    """
    graph: StateGraph[State, Run, State, State] = StateGraph(State, context_schema=Run)
    graph.add_node("monitor", specialists.monitor)
    graph.add_node("analyse", specialists.analyse)
    graph.add_node("remediate", specialists.remediate)
    graph.add_node("propose", specialists.propose)
    graph.add_edge(START, "monitor")
    graph.add_conditional_edges("monitor", _found_problems, {True: "analyse", False: END})
    graph.add_conditional_edges("analyse", _found_cause, {True: "remediate", False: END})
    graph.add_conditional_edges("remediate", _has_plan, {True: "propose", False: END})
    graph.add_edge("propose", END)
    return graph.compile(checkpointer=checkpointer)


async def run_graph(graph: Graph, state: State, run: Run) -> State:
    """Ask every agent whose answer is not in `state`, which the events tell; nothing is traced."""
    place: RunnableConfig = {"configurable": {"thread_id": run.voice.workflow_id}}
    with tracing_context(enabled=False):
        found: Any = await graph.ainvoke(
            None if await _has_place(graph, run, place) else State(),
            place,
            context=replace(run, answers=state),
            durability="sync" if graph.checkpointer else None,
        )
    answers: State = found
    return answers


async def forget_place(graph: Graph, workflow_id: WorkflowId) -> None:
    """Delete a workflow's checkpoints, once it is over; raises StorageFailed."""
    if isinstance(graph.checkpointer, BaseCheckpointSaver):
        await graph.checkpointer.adelete_thread(workflow_id)


async def _has_place(graph: Graph, run: Run, place: RunnableConfig) -> bool:
    """Whether an earlier claim has come anywhere; the graph refuses to go on from nowhere."""
    if not graph.checkpointer or run.voice.claim.number == 1:
        return False
    return (await graph.aget_state(place)).created_at is not None


def last_sentence(state: State) -> str:
    """How a run that did not fail ended (contract section 2)."""
    if not _found_problems(state):
        return "No errors or warnings found in logs. Workflow complete."
    if not _found_cause(state):
        return "Could not determine root cause. Workflow complete."
    if not _has_plan(state):
        return "Could not generate remediation plan. Workflow complete."
    told = "; ".join(_told(state["report"]))
    return f"Workflow completed successfully. {told[:1].upper()}{told[1:]}."


def _told(report: SubmissionReport) -> Iterator[str]:
    if report.success_count:
        yield f"Waiting for approval: {counted(report.success_count, 'proposal')}"
    if report.error_count:
        yield f"not delivered yet, will retry: {counted(report.error_count, 'proposal')}"
    if not report.total_submissions:
        yield f"Nothing was proposed; {counted(len(report.accepted), 'command')} passed the policy"
    if report.refused:
        yield f"refused by the policy: {counted(len(report.refused), 'command')}"


def _found_problems(state: State) -> bool:
    return not state["findings"].is_empty


def _found_cause(state: State) -> bool:
    return bool(state["analysis"].root_cause_analysis)


def _has_plan(state: State) -> bool:
    return bool(state["remediation"].remediation_plans)
